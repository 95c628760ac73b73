"""Properties of the readers, whatever they are given: read right, or refused in one sentence."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from intae.benchmark.config import check_config, read_config
from intae.errors import ConfigError, IntaeError
from intae.gene_sets import read_gene_sets
from intae.parameters import COMMON, PARAMETERS, check_arguments
from intae.sources.file import load

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
given, st = hypothesis.given, hypothesis.strategies

SETTINGS = hypothesis.settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)  # fmt: skip
CONFIG = (Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8")
WORDS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
# without what separates or quotes fields, and what a web page begins with
NAMES = WORDS.filter(lambda word: not set(word) & set('<,"'))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def anything(alphabet=None):
    text = st.text(alphabet, max_size=100) if alphabet else st.text(max_size=100)
    return st.binary(max_size=100) | text.map(str.encode)


def written(folder, data, name):
    (folder / name).write_bytes(data)
    return folder / name


@SETTINGS
@given(
    sets=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, unique=True), min_size=1, max_size=5),
    mark=st.booleans(), zipped=st.booleans(), ending=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_gmt_is_read_as_it_was_written(tmp_path, sets, mark, zipped, ending):
    lines = [f"{name}\t\t" + "\t".join(genes) for name, genes in sets.items()]
    data = ending.join(lines).encode("utf-8-sig" if mark else "utf-8")
    path = written(tmp_path, gzip.compress(data) if zipped else data, "x.gmt")
    assert read_gene_sets(path) == sets


@SETTINGS
@given(data=anything())
def test_any_bytes_are_gene_sets_or_refused_by_the_name_of_the_file(tmp_path, data):
    path = written(tmp_path, data, "x.gmt")
    try:
        assert all(name and genes for name, genes in read_gene_sets(path).items())
    except IntaeError as error:
        assert str(path) in str(error)


@SETTINGS
@given(
    values=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=5),
    genes=st.lists(NAMES, min_size=3, max_size=3, unique=True),
    rows=st.booleans(),
)
def test_a_table_is_read_as_it_was_written(tmp_path, values, genes, rows):
    table = pd.DataFrame(values, [f"c{i}" for i in range(len(values))], genes)
    path = written(tmp_path, (table.T if rows else table).to_csv().encode(), "x.csv")
    adata = load(path, genes_in="rows" if rows else "columns")
    np.testing.assert_array_equal(adata.X.toarray(), values)
    assert list(adata.obs_names) == list(table.index)
    assert list(adata.var_names) == genes


@SETTINGS
@given(data=anything('0123456789.,-;\n\tabcNA"'))
def test_any_bytes_are_a_table_or_refused_by_the_name_of_the_file(tmp_path, data):
    path = written(tmp_path, data, "x.csv")
    try:
        adata = load(path)
        assert adata.var_names.is_unique and 0 not in adata.shape
    except IntaeError as error:
        assert str(path) in str(error)


@SETTINGS
@given(data=anything())
def test_any_bytes_are_a_config_or_refused_by_the_name_of_the_file(tmp_path, data):
    path = written(tmp_path, data, "x.yaml")
    try:
        assert isinstance(read_config(path), dict)
    except ConfigError as error:
        assert str(path) in str(error)


def places(value, path=()):
    """Return the paths of all keys of a config."""
    inner = value.items() if isinstance(value, dict) else ()
    own = [path] if path else []
    return own + [found for key, entry in inner for found in places(entry, (*path, key))]


@SETTINGS
@given(path=st.sampled_from(places(yaml.safe_load(CONFIG))), value=VALUES)
def test_any_value_at_any_key_is_fine_or_a_mistake_of_the_config(path, value):
    config = place = yaml.safe_load(CONFIG)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    try:
        check_config(config)
    except ConfigError as error:
        assert str(error).startswith("config")


@pytest.mark.parametrize("model", PARAMETERS)
@SETTINGS
@given(data=st.data())
def test_any_value_of_an_argument_is_fine_or_refused_by_its_name(model, data):
    name = data.draw(st.sampled_from(list(PARAMETERS[model] | COMMON)))
    try:
        check_arguments(model, {name: data.draw(VALUES)})
    except IntaeError as error:
        assert name in str(error)

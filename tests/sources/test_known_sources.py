"""The table of known sources: complete, and read where little is installed."""

import inspect

import pytest
from blocked import run_without

from intae.benchmark.config import read_schema
from intae.sources import SOURCES

HEAVY = (
    "numpy", "pandas", "scipy", "anndata", "scanpy", "h5py", "sklearn", "torch", "pooch", "requests"
)  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_has_its_three_parts(name):
    source = SOURCES[name]
    assert source.__name__.endswith(f".{name}")
    names = [download.name for download in source.FILES]
    assert len(set(names)) == len(names)
    assert all(download.urls for download in source.FILES)
    assert (source.SIZE == "") == (name in ("simulated", "implanted", "corrupted"))
    assert inspect.signature(source.load).return_annotation == "AnnData"


def test_the_config_knows_the_same_sources():
    rules = read_schema()["properties"]["datasets"]["additionalProperties"]["properties"]
    assert set(rules["source"]["enum"]) == {*SOURCES, "file"}


def test_files_and_sizes_are_read_with_nothing_installed():
    done = run_without(
        HEAVY,
        "from intae.sources import SOURCES\n"
        "print([(name, len(s.FILES), s.SIZE) for name, s in SOURCES.items()])",
    )
    assert done.returncode == 0, done.stderr
    assert "('kang17', 3, '29,065 cells x 35,635 genes')" in done.stdout
    assert "('covid_balf', 13, '63,103 cells')" in done.stdout


def test_the_config_check_needs_nothing_but_snakemakes_own():
    done = run_without(
        HEAVY,
        "from intae.benchmark.config import DEFAULTS, load_config\n"
        "from intae.benchmark.plan import Benchmark\n"
        "print(Benchmark(load_config([DEFAULTS])).dataset_files('macosko15'))",
    )
    assert done.returncode == 0, done.stderr
    assert "retina_clusteridentities.txt" in done.stdout

"""What the page of terms packs."""

import gzip
import json
import re
from base64 import b64decode

import numpy as np
import pandas as pd
import pytest
from terms_page import LABELS, TERMS, make_case, page_of

from intae.errors import IntaeError
from intae.page.gather import Source, gather, read_origins
from intae.page.pack import Block, compress, quantise, shorten, to_json
from intae.page.views import MAX_GROUPS, quantiles, views_of


@pytest.fixture(scope="module")
def case():
    return make_case()


def test_rounded_weights_are_within_a_ten_thousandth():
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    values[:2] = 0, 1
    short = shorten(values)
    assert short[0] == 0 and short[1] == 1
    assert np.abs(short / np.where(values == 0, 1, values) - 1)[1:].max() < 1.3e-4
    assert len(gzip.compress(short.tobytes())) < 0.75 * len(gzip.compress(values.tobytes()))


def test_quantised_values_are_within_half_a_step():
    values = np.random.default_rng(0).normal(size=(3, 50))
    values[2] = 1.5  # constant
    low, high = values.min(1), values.max(1)
    steps = quantise(values, low, high, "u1")
    assert steps.min() == 0 and steps.max() == 255
    back = low[:, None] + (high - low)[:, None] * steps / 255
    assert (np.abs(back - values) <= (high - low)[:, None] / 510 + 1e-12).all()


def test_a_block_says_where_its_arrays_lie():
    block = Block()
    places = [block.add(np.arange(5), "u1"), block.add(np.array([1.5, 2]), "f4")]
    data = block.to_bytes()
    assert places[1]["at"] % 4 == 0
    for place, wanted in zip(places, ([0, 1, 2, 3, 4], [1.5, 2]), strict=True):
        got = np.frombuffer(data, f"<{place['type']}", place["n"], place["at"])
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(ValueError, match="do not fit into u1"):
        block.add(np.array([256]), "u1")


def test_the_same_facts_make_the_same_page(case):
    assert compress("text") == compress("text")
    assert page_of(case) == page_of(case)


def test_json_holds_no_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"x": float("nan")})


def test_views_are_by_label_and_by_condition():
    obs = pd.DataFrame({"condition": list("aabb"), "donor": ["10", "9", "10", "10"]})
    views = views_of(obs)
    assert [(v.label, v.split) for v in views] == [
        ("condition", None), ("donor", None), ("donor", "condition")
    ]  # fmt: skip
    assert list(views[1].groups) == [("9",), ("10",)]  # not by letters
    assert {k: list(v) for k, v in views[2].groups.items()} == {
        ("9", "a"): [1], ("10", "a"): [0], ("10", "b"): [2, 3]
    }  # fmt: skip


def test_cells_without_labels_are_one_group():
    (view,) = views_of(pd.DataFrame(index=range(7)))
    assert [len(cells) for cells in view.groups.values()] == [7]


def test_of_very_many_groups_the_largest_are_kept():
    donors = [f"d{i}" for i in range(50) for _ in range(i + 1)]
    (view,) = views_of(pd.DataFrame({"donor": donors}))
    assert len(view.groups) == MAX_GROUPS and view.n_left_out == 10
    assert ("d9",) not in view.groups and ("d49",) in view.groups


def test_quantiles_are_those_of_pandas():
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"condition": rng.choice(list("ab"), 40)})
    z = pd.DataFrame(rng.normal(size=(40, 3)))
    found = quantiles(z.to_numpy(), views_of(obs))
    wanted = z.groupby(obs["condition"]).quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(found, wanted.to_numpy().reshape(2, 5, 3).transpose(2, 0, 1))


def test_origins_are_read_from_the_files(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text(
        "MY_A\thttps://example.org/A\tX\tY\nMY_B\twhat it is\tX\nMY_C\tna\tX\n", encoding="utf-8"
    )
    (tmp_path / "plain.txt").write_text("D X Y Z\n", encoding="utf-8")
    origins = read_origins(
        [Source(path, "MY_", "mine"), Source(tmp_path / "plain.txt", None, "plain")]
    )
    assert origins["A"] == {
        "collection": "mine", "n_genes": 2, "full_name": "MY_A", "link": "https://example.org/A"
    }  # fmt: skip
    assert origins["B"]["note"] == "what it is"
    assert set(origins["C"]) == {"collection", "n_genes", "full_name"}
    assert origins["D"] == {"collection": "plain", "n_genes": 3, "full_name": "D"}


def test_a_table_of_other_fits_is_refused(case):
    tables = case.tables | {"terms": case.tables["terms"].query("method != 'fsclvm'")}
    with pytest.raises(IntaeError, match="terms has no row of fsclvm, seed 0"):
        page_of(case, tables=tables)


def test_names_do_not_break_out_of_the_page(case):
    page = page_of(case)
    assert "</script><b>" not in page  # names are packed, as everything from files
    assert "<title>Terms of &lt;own&gt;</title>" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page)
    packed = re.search(r'id="packed-facts">([^<]+)<', page)[1]
    facts = json.loads(gzip.decompress(b64decode(packed)))
    assert facts["sets"]["names"] == TERMS
    assert [m["name"] for m in facts["methods"]] == ["autoencoder", "fsclvm"]


def test_what_is_detected_is_told_where_the_method_says_it(case):
    given = vars(case) | {"dataset": "own", "labels": LABELS}
    facts, _ = gather(given.pop("fits"), given.pop("prepared"), given.pop("tables"), **given)
    by_name = {method["name"]: method["detected"] for method in facts["methods"]}
    found = {"is": [False, True, False], "q": [0.12, 0.003, 0.4]}
    assert by_name == {"autoencoder": found, "fsclvm": {}}
    tables = case.tables | {"terms": case.tables["terms"].drop(columns=["detected", "q_value"])}
    page_of(case, tables=tables)  # of an older run


def test_families_of_several_terms_are_told(case):
    given = vars(case) | {"dataset": "own", "labels": LABELS}
    facts, _ = gather(given.pop("fits"), given.pop("prepared"), given.pop("tables"), **given)
    by_name = {method["name"]: method["families"] for method in facts["methods"]}
    assert by_name == {"autoencoder": [[TERMS[0], TERMS[2]]], "fsclvm": []}


def gathered(case, **changes):
    given = vars(case) | {"dataset": "own", "labels": LABELS} | changes
    return gather(given.pop("fits"), given.pop("prepared"), given.pop("tables"), **given)


def test_the_page_opens_on_the_recommended_method(case):
    facts, _ = gathered(case, recommended="fsclvm")
    assert [method["name"] for method in facts["methods"]] == ["fsclvm", "autoencoder"]


def test_gene_sets_that_were_left_out_are_listed(case):
    facts, _ = gathered(case)
    (lost,) = facts["dropped"]
    assert lost["name"] == "<i>LOST</i>_SET" and lost["kept_genes"] == 8
    assert "<variable>" not in page_of(case)
    without = {name: table for name, table in case.tables.items() if name != "gene_sets"}
    assert gathered(case, tables=without)[0]["dropped"] == []


def test_the_map_places_the_cells_that_are_shown(case):
    facts, numbers = gathered(case)
    place = facts["map"]["places"]
    steps = np.frombuffer(numbers, "<u2", place["n"], place["at"]).reshape(2, -1)
    own = case.embedding[["umap_1", "umap_2"]].to_numpy().T
    for row, wanted in zip(steps, own, strict=True):
        assert np.corrcoef(row, wanted)[0, 1] > 0.9999
    part = case.embedding.iloc[::2]  # only cells on the map are shown
    facts, _ = gathered(case, embedding=part, n_cells=10)
    assert facts["n_shown"] == 10 and facts["map"]["places"]["n"] == 20
    assert gathered(case, embedding=None)[0]["map"] is None


def test_a_condition_has_the_colour_of_its_place_in_the_order_that_was_asked_for(case):
    values = sorted(case.prepared.obs["condition"].unique())
    colors = []
    for order in (values, values[::-1]):
        facts, _ = gathered(case, conditions={value: value for value in order})
        view = next(v for v in facts["views"] if v["label"] == "condition" and not v["split"])
        shown = zip(view["groups"], view["colors"], strict=True)
        colors.append({group[-1]: color for group, color in shown})
    assert colors[0][values[0]] == colors[1][values[-1]] != colors[1][values[0]]

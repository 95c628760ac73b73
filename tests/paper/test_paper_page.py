"""The claims as a whole: the file they stand in, the tables, and the page in a browser."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from browser import start_browser
from conftest import ROOT, mirror_file
from runs import METHODS, accuracies, make_run, runtime, trained

import intae.paper
from intae.benchmark import registry
from intae.errors import IntaeError
from intae.gene_sets import read_gene_sets
from intae.paper.checks import CHECKS
from intae.paper.checks.register import VERDICTS
from intae.paper.claims import PAPER, claims_table, read_paper
from intae.paper.page import MARKS, TEMPLATE, breakable, render_page
from intae.paper.run import Run
from intae.paper.table1 import minutes_beside_paper


@pytest.fixture(scope="module")
def paper():
    return read_paper()


def test_every_check_is_used_and_every_claim_has_one(paper):
    assert {claim["check"] for claim in paper["claims"]} == set(CHECKS)
    assert {claim["dataset"] for claim in paper["claims"]} == {*paper["datasets"], None}
    schema = yaml.safe_load((ROOT / "intae/benchmark/schema.yaml").read_text(encoding="utf-8"))
    entry = schema["properties"]["analyses"]["additionalProperties"]["properties"]["paper"]
    assert set(entry["enum"]) == {*paper["datasets"], None}


def test_methods_of_the_claims_are_known(paper):
    named = {m for groups in paper["table1"].values() for g in groups for m in g["methods"]}
    for claim in paper["claims"]:
        for key, value in claim["with"].items():
            if key in ("rule", "terms", "values", "label", "term", "but"):
                continue
            named |= {v for v in (value if isinstance(value, list) else [value])
                      if isinstance(v, str)}  # fmt: skip
    assert named <= set(registry.METHODS)


def test_terms_of_the_claims_are_gene_sets(paper):
    sets = read_gene_sets(mirror_file("c2.cp.reactome.v4.0.symbols.gmt"))
    known = {name.removeprefix("REACTOME_") for name in sets} | {"ASTROCYTES"}
    for claim in paper["claims"]:
        named = [
            claim["with"].get("term"),
            claim["with"].get("but"),
            *claim["with"].get("terms", ()),
        ]
        assert {name for name in named if name} <= known, claim["id"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": "chekc"}, "there is no check 'chekc'"),
        ({"dataset": "kang71"}, "there is no data set 'kang71'"),
        ({"given_as": "guessed"}, "given_as 'guessed'"),
        ({"with": {"methods": ["a"]}}, "missing a required argument"),
        ({"with": {"methodes": ["a"]}}, "with: "),
        ({"source": None}, "the key 'source' is missing"),
    ],
)
def test_a_wrong_claim_is_refused(tmp_path, change, message):
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    paper["claims"][0] |= change
    paper["claims"][0] = {k: v for k, v in paper["claims"][0].items() if v is not None}
    (tmp_path / "paper.yaml").write_text(yaml.safe_dump(paper), encoding="utf-8")
    with pytest.raises(IntaeError, match=message):
        read_paper(tmp_path / "paper.yaml")


def test_a_claim_that_stands_twice_is_refused(tmp_path):
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    paper["claims"].append(paper["claims"][0])
    (tmp_path / "paper.yaml").write_text(yaml.safe_dump(paper), encoding="utf-8")
    with pytest.raises(IntaeError, match="stands there twice"):
        read_paper(tmp_path / "paper.yaml")


@pytest.mark.parametrize("text", ["claims: [", "datasets: {}", ""])
def test_a_file_that_holds_no_claims_is_refused(tmp_path, text):
    (tmp_path / "paper.yaml").write_text(text, encoding="utf-8")
    for path in (tmp_path / "paper.yaml", tmp_path / "absent.yaml"):
        with pytest.raises(IntaeError, match=r"is not the claims of a paper"):
            read_paper(path)


def test_the_claims_and_the_template_are_in_the_package():
    """An installed wheel has no checkout beside it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = settings["tool"]["setuptools"]["package-data"]["intae.paper"]
    folder = Path(intae.paper.__file__).parent
    assert {folder / name for name in packed} == {PAPER, TEMPLATE}
    assert PAPER.exists() and TEMPLATE.exists()


def test_a_run_of_nothing_agrees_with_nothing(paper):
    """A run with two timed fits and no other table: all but the runtimes was not run."""
    claims = claims_table(
        paper, make_run(runtime({"autoencoder": [1.0, 1.0], "slalom": [270.0]}, n_genes=900))
    )
    assert set(claims["claim"]) == {claim["id"] for claim in paper["claims"]}
    ran = claims[claims["verdict"] != "not run"]
    assert set(ran["check"]) == {"runtime", "speedup", "outgrows"} and set(ran["dataset"]) == {"d"}
    assert (claims["why"].str.len() > 10).all()
    absent = claims[claims["paper_dataset"] == "macosko15"]
    assert absent["why"].str.contains("paper: macosko15").all() and absent["dataset"].isna().all()


def test_a_small_part_confirms_nothing(paper):
    scores = {("autoencoder", s): {"INTERFERON_SIGNALING": 0.9, "OTHER": 0.5} for s in (0, 1)}
    for n_cells, verdict in ((1350, "agrees"), (1300, "partly")):
        times = runtime({"autoencoder": [1.0, 1.0]}, n_cells=n_cells)
        claims = claims_table(paper, make_run(times, **accuracies(scores))).set_index("claim")
        assert claims.loc["kang17-best-autoencoder", "verdict"] == verdict
    assert "1,300 cells for the paper's 13,500" in claims.loc["kang17-best-autoencoder", "why"]


def test_two_data_sets_may_stand_for_one(paper):
    both = pd.concat([runtime({"autoencoder": [6.0]}), runtime({"autoencoder": [9.0]}, "e")])
    run = Run({"runtime": both}, METHODS, {"d": "kang17", "e": "kang17"})
    claims = claims_table(paper, run)
    n_claims = sum(claim["dataset"] == "kang17" for claim in paper["claims"])
    assert claims["dataset"].value_counts().to_dict() == {"d": n_claims, "e": n_claims}


def test_table_1(paper):
    run = make_run(
        runtime({"ulm": [1.0], "fsclvm": [60.0], "autoencoder": [60.0, 180.0]}, n_cells=4470)
    )
    table1 = minutes_beside_paper(paper, run)
    ours = table1.dropna(subset=["dataset"]).set_index("method")
    assert list(ours.index) == ["autoencoder", "fsclvm"]  # the paper's first, controls left out
    row = ours.loc["autoencoder"]
    assert (row["minutes"], row["minutes_min"], row["minutes_max"], row["n_seeds"]) == (2, 1, 3, 2)
    assert (row["paper_minutes"], row["n_cells"], row["paper_n_cells"]) == (8, 4470, 13500)
    assert row["cpu"] == "a processor" and row["threads"] == 1
    assert np.isnan(ours.loc["fsclvm", "paper_minutes"])
    absent = table1[table1["dataset"].isna()]
    values = absent.set_index(["paper_dataset", "method"])["paper_minutes"].to_dict()
    assert values == {
        ("kang17", "slalom"): 2203, ("macosko15", "slalom"): 1629, ("macosko15", "autoencoder"): 7,
    }  # fmt: skip
    assert absent["minutes"].isna().all()
    other = pd.concat([runtime({"autoencoder": [60.0]}, "other"), run.tables["runtime"]])
    order = minutes_beside_paper(paper, make_run(other))["dataset"].fillna("not run")
    assert list(dict.fromkeys(order)) == ["d", "not run", "other"]


def test_names_may_break_at_underscores_and_code_is_set_as_such():
    assert breakable("<A_B>") == "&lt;A_<wbr>B&gt;"
    assert breakable("set `run: <x>`.") == "set <code>run: &lt;x&gt;</code>."


# the page


@pytest.fixture(scope="module")
def page(paper, tmp_path_factory):
    """The page of a run in which verdicts of all four kinds come up."""
    runs = runtime(
        {"autoencoder": [60.0, 180.0], "slalom": [9e4], "fsclvm": [9.0]}, n_cells=4470, n_genes=966
    )
    scores = {("autoencoder", s): {"INTERFERON_SIGNALING": 0.9, "OTHER": 0.5} for s in (0, 1)}
    scores[("fsclvm", 0)] = {"INTERFERON_SIGNALING": 0.8, "OTHER": 0.95}
    run = make_run(runs, **accuracies(scores), history=trained())
    claims, table1 = claims_table(paper, run), minutes_beside_paper(paper, run)
    assert set(claims["verdict"]) == set(VERDICTS)
    folder = tmp_path_factory.mktemp("page")
    claims.to_csv(folder / "claims.csv", index=False)
    table1.to_csv(folder / "table1.csv", index=False)
    claims, table1 = (pd.read_csv(folder / f"{name}.csv") for name in ("claims", "table1"))
    labels = {name: entry.get("label", name) for name, entry in METHODS.items()}
    html = render_page(paper, claims, table1, labels)
    (folder / "paper.html").write_text(html, encoding="utf-8")
    return folder / "paper.html", claims


def test_page_has_every_claim_and_needs_nothing_else(page):
    path, claims = page
    html = path.read_text(encoding="utf-8")
    for row in claims.itertuples():
        assert str(breakable(row.statement)) in html
        assert str(breakable(row.why)) in html
        assert f'id="rule-{row.check}"' in html
    assert "33% as many" in html and "Table 1" in html
    for outside in ("http://", "https://", "src=", "@import", "<script"):
        assert outside not in html
    assert "nan" not in html.lower().replace("governan", "").split()


def test_wide_tables_are_reached_with_the_keyboard_and_have_names(page):
    html = page[0].read_text(encoding="utf-8")
    wide = re.findall(r'<div class="wide[^>]*>', html)
    assert len(wide) > 5
    for region in wide:
        assert 'role="region" tabindex="0"' in region and re.search('aria-label="[^"]+"', region)
    assert html.count("<main>") == 1


def test_page_in_a_browser(page, tmp_path):
    path, claims = page
    driver = start_browser(tmp_path)
    driver.set_window_size(1200, 900)
    try:
        driver.get(path.as_uri())
        assert driver.get_log("browser") == []
        shown = [e.text for e in driver.find_elements("css selector", ".claims tbody tr .verdict")]
        assert sorted(shown) == sorted(f"{MARKS[v]}{v}" for v in claims["verdict"])
        link = driver.find_element("css selector", ".claims tbody a")
        target = link.get_attribute("href").split("#")[1]
        assert driver.find_element("id", target).is_displayed()
        width, room = driver.execute_script(
            "return [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert width <= room  # nothing is cut off at the side
        cut = driver.execute_script(
            "return [...document.querySelectorAll('td, th')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
        )
        assert cut == []
    finally:
        driver.quit()


def test_a_data_set_without_a_model_is_shown_all_the_same(paper):
    run = make_run(runtime({"ulm": [1.0]}))
    claims, table1 = claims_table(paper, run), minutes_beside_paper(paper, run)
    html = render_page(paper, claims, table1, {})
    assert "No model ran on d" in html

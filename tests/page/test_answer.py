"""The first page of a data set says what the tables say, and leaves out what is not known."""

import re

import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from fits import make_fit

from intae.figures.umap import plot_umap
from intae.page.answer import _needed, find_answer
from intae.page.answer_page import render_answer, summarise
from intae.page.embedding import embed, tell_of

EVIL = "<b>A</b>_TERM"
TERMS = [EVIL, "B", "C", "OFF"]
LABELS = {"ae": "Autoencoder (exact)", "ulm": "ULM", "other": "other"}


@pytest.fixture
def fit():
    rng = np.random.default_rng(0)
    fit = make_fit(rng.normal(size=(40, 4)), np.ones((5, 4)), [4, 3, 2, 0], method="ae")
    fit.terms.index = fit.loadings.columns = fit.weights.columns = pd.Index(TERMS, name="term")
    fit.obs = pd.DataFrame(
        {"condition": ["stim", "ctrl"] * 20, "cell_type": list("TTBB") * 10},
        index=fit.loadings.index,
    )
    fit.about |= {"seconds": 4.25, "projected": False}
    return fit


@pytest.fixture
def tables():
    own = {"method": "ae", "seed": 0}
    terms = pd.DataFrame(
        {"term": TERMS, "relevance": [4.0, 3, 2, 0], "rank": [1, 2, 3, 4],
         "active": [True, True, True, False], "family": [EVIL, EVIL, "C", "OFF"],
         "detected": [True, True, False, False], "q_value": [0.01, 0.02, 0.3, 0.4]}
    ).assign(kind="annotated", **own)  # fmt: skip
    accuracy = pd.DataFrame(
        [("ae", EVIL, "train", 0.9), ("ae", EVIL, "unseen", 0.7),
         ("ae", EVIL, "unseen_family", 0.88), ("ae", "C", "train", 0.6),
         ("ae", "C", "unseen", 0.55),
         ("ulm", "C", "train", 0.95), ("ulm", "C", "held_out", 0.8)],
        columns=["method", "term", "split", "auroc"],
    ).assign(seed=0, label="condition")  # fmt: skip
    folds = pd.DataFrame(
        [(1, EVIL, False, 0.5, True, 0.85), (2, EVIL, True, 0.9, True, 0.9),
         (1, "C", True, 0.5, None, np.nan), (2, "C", False, 0.6, None, np.nan)],
        columns=["fold", "term", "active", "auroc", "family_active", "family_auroc"],
    ).assign(**own)  # fmt: skip
    separation = pd.DataFrame(
        [(EVIL, "condition", "stim", 0.9), (EVIL, "condition", "ctrl", 0.1),
         (EVIL, "cell_type", "T", 0.7), (EVIL, "cell_type", "B", 0.3),
         ("C", "condition", "stim", 0.52), ("C", "condition", "ctrl", 0.48)],
        columns=["term", "label", "value", "auroc"],
    ).assign(**own)  # fmt: skip
    stability = pd.DataFrame(
        [("halves", EVIL, 0.99, 4), ("halves", "(number of pairs)", 5, 5),
         ("donors", EVIL, 0.9, 2), ("donors", "(number of pairs)", 2, 2)],
        columns=["kind", "term", "r", "n_pairs"],
    ).assign(method="ae")  # fmt: skip
    necessity = pd.DataFrame(
        [(EVIL, 0.1, 0.002, 5.0, 0.02, "B", 0.97), ("C", 3.0, 0.06, 5.0, 0.6, np.nan, np.nan)],
        columns=["term", "necessity", "share", "carried", "irreplaceable", "stand_ins",
                 "stand_in_r"],
    ).assign(**own)  # fmt: skip
    gene_sets = pd.DataFrame(
        [("B", 30, 20, 15, True, None), ("LOST", 39, 36, 8, False, "too few variable genes"),
         ("TINY", 3, 3, 3, False, "too few variable genes")],
        columns=["name", "n_genes", "in_data", "kept_genes", "kept", "why"],
    )  # fmt: skip
    return {
        "terms": terms, "accuracy": accuracy, "folds": folds, "separation": separation,
        "stability": stability, "necessity": necessity, "gene_sets": gene_sets,
    }  # fmt: skip


def ask(fit, tables, **changes):
    told = {"dataset": "d", "labels": LABELS, "scores": ["ulm"], "sizes": (40, 5)}
    told |= {"conditions": {"ctrl": "control", "stim": "IFN"}, "expected": ["LOST"]}
    return find_answer(fit, tables, **told | changes)


def test_a_line_says_what_the_tables_say_of_a_family(fit, tables):
    answer = ask(fit, tables)
    first, second = answer.lines  # B is of the first one's family, OFF is off
    assert (first.term, first.others) == (EVIL, ["B"])
    assert first.higher == "higher in IFN; more in T"
    assert first.auroc == 0.88  # by the name that the family has in each fold
    assert first.auroc_spread == "0.85 to 0.90 over 2 folds, on in 2 of 2"
    assert first.repeated == (
        "in halves of the cells 4 of 5 times (scores agree by 0.99), "
        "in halves of the donors 2 of 2 times (scores agree by 0.90)"
    )
    assert first.needed == "not by this name: B says the same (scores agree by 0.97)"
    assert second.higher == "about the same in all conditions"
    assert (second.auroc, second.auroc_spread) == (
        0.55, "0.50 to 0.60 over 2 folds, on in 1 of 2"
    )  # fmt: skip
    assert second.repeated.startswith("in halves of the cells 0 of 5 times")
    assert second.needed == "yes: no other set can say 60% of what it explains"
    assert answer.missing == []


@pytest.mark.parametrize(
    ("irreplaceable", "text"),
    [
        (0.3, "partly: others can say 70% of what it explains, above all B"),
        (0.7, "yes: no other set can say 70% of what it explains; the rest is said above all by B"),
        (1.0, "yes: no other set can say 100% of what it explains"),
    ],
)  # fmt: skip
def test_what_stands_in_is_named_with_what_it_says(irreplaceable, text):
    row = {"term": "A", "irreplaceable": irreplaceable, "stand_ins": "B", "stand_in_r": 0.97,
           "carried": 1.0, "share": 0.5, "necessity": 1.0}  # fmt: skip
    assert _needed(pd.DataFrame([row]), "A") == text


def test_the_headline_and_the_facts_are_computed(fit, tables):
    answer = ask(fit, tables)
    assert answer.headline == (
        "<b>A</b> TERM tells control and IFN apart best (higher in IFN): AUROC 0.88 on cells that "
        "the fit never saw."
    )
    assert "does not do as well" in answer.plain and "reaches AUROC 0.80 (C)" in answer.plain
    assert "the method 0.88 on unseen cells" in answer.plain
    better = tables["accuracy"].replace({"auroc": {0.8: 0.875}})
    plain = ask(fit, tables | {"accuracy": better}).plain
    assert plain.startswith("A plain score of each set does as well")
    assert "No plain score was run" in ask(fit, tables, scores=[]).plain
    assert answer.cost == "One fit of Autoencoder (exact) took 4.2 seconds (40 cells, 5 genes)."
    assert answer.counts.startswith("3 of 4 gene sets are on; in 2 the genes move together")
    text, why = answer.lost
    assert text.startswith("2 of 3 gene sets were left out") and "expected to matter: LOST" in text
    assert list(why) == ["LOST", "TINY"] and "8 of its 39 genes" in why["LOST"]


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (["folds"], ""),
        (["accuracy", "folds", "separation"], "name no condition"),
        (["stability"], "not fitted to halves"),
        (["necessity"], "Only the exact autoencoder"),
    ],
)
def test_what_was_not_measured_is_left_out_in_words(fit, tables, without, said):
    left = {name: table for name, table in tables.items() if name not in without}
    answer = ask(fit, left)
    assert said in " ".join(answer.missing)
    page = render_answer(answer)
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    assert ("AUROC on unseen cells" in page) == ("accuracy" not in without)
    assert ("Is it needed?" in page) == ("necessity" not in without)


def test_no_term_and_no_end_are_said(fit, tables):
    off = tables | {"terms": tables["terms"].assign(active=False)}
    assert "switches every gene set off" in ask(fit, off).headline
    fit.about["projected"] = True
    stopped = ask(fit, tables | {"terms": tables["terms"].iloc[:0]})
    assert "stopped by its time budget" in stopped.headline and not stopped.cost
    assert "<table>" not in render_answer(stopped)


def test_names_are_text_in_page_and_summary(fit, tables):
    embedding = pd.DataFrame(
        {"umap_1": np.arange(40.0), "umap_2": 1.0, "own": False}, fit.loadings.index
    )
    answer = ask(fit, tables)
    maps = plot_umap(embedding, fit.obs, fit.loadings, TERMS[:3], {"ctrl": "control"})
    assert list(maps) == ["condition", "cell type", *TERMS[:3]]
    named = [text.get_text() for text in maps["condition"].axes[0].get_legend().get_texts()]
    assert named == ["control", "stim"]
    page = render_answer(answer, maps, tell_of(embedding, 50))
    assert "<b>A</b>" not in page and "&lt;b&gt;A&lt;/b&gt; TERM" in page
    assert 'src="data:image/png;base64,' in page and page.count('alt="Map of the cells by') == 5
    assert "40 of 50 cells are shown" in page and "LOST" in page
    assert page.count("<h1>") == 1 and "{{" not in page
    strict = {"halt_level": 2}
    summary = publish_parts(summarise(answer), writer_name="html", settings_overrides=strict)
    assert "&lt;b&gt;A&lt;/b&gt; TERM, higher in IFN, AUROC 0.88" in summary["body"]


def test_the_map_is_the_datas_own_or_computed_with_a_seed():
    import intae

    cells = intae.simulate(n_cells=60, n_genes=30, n_terms=4, n_active=3, seed=0)
    found = embed(cells, n_cells=40)
    assert found.shape == (40, 3) and not found["own"].any()
    assert np.isfinite(found[["umap_1", "umap_2"]].to_numpy()).all()
    pd.testing.assert_frame_equal(found, embed(cells, n_cells=40))
    cells.obsm["X_umap"] = np.arange(120.0).reshape(60, 2)
    own = embed(cells)
    assert own["own"].all() and list(own["umap_2"])[:2] == [1, 3]
    cells.obsm["X_umap"][5] = np.nan  # not every cell has a place
    assert not embed(cells)["own"].any()

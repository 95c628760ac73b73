"""Relevance and corrections, expected terms, and what the config says of figures."""

import numpy as np
import pandas as pd
import pytest
from figure_texts import all_texts, nothing_overlaps, tick_texts
from fits import LONG, make_fit

from intae.benchmark.config import load_config
from intae.benchmark.plan import Benchmark
from intae.errors import ConfigError
from intae.figures.cells import plot_loadings, plot_scatter
from intae.figures.style import STAR
from intae.figures.terms import CHANGES, plot_corrections, plot_relevance, plot_top_terms
from intae.metrics.terms import corrected_genes

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "fsclvm": "f-scLVM", "slalom": "slalom", "pca": "PCA"}


# ---- expected terms


@pytest.fixture
def terms():
    return pd.DataFrame(
        {"dataset": "d", "method": "ae", "seed": 0, "term": ["a", LONG, "off", "dense_1"],
         "kind": ["annotated"] * 3 + ["dense"], "relevance": [1.0, 5.0, 0.5, 9.0],
         "n_genes": [12, 34, 56, 0], "rank": [3, 2, 4, 1], "active": [True, True, False, True],
         "genes_added": ["G1 G2", np.nan, "G9", ""], "genes_removed": ["", "G3 G4 G5", "", ""]}
    )  # fmt: skip


def test_expected_terms_have_a_star_and_bold_letters(terms):
    figure = plot_top_terms(terms, LABELS, {"ae": "Autoencoder"}, expected=[LONG, "off"])
    axis = figure.axes[0]
    assert tick_texts(axis) == ["dense 1", f"{STAR} {LONG.replace('_', ' ')}", "a"]
    assert [t.get_fontweight() for t in axis.get_yticklabels()] == ["normal", "bold", "normal"]
    assert figure.legends[0].get_texts()[0].get_text() == "expected term"
    assert not plot_top_terms(terms, LABELS, {"ae": "Autoencoder"}, expected=["other"]).legends


# ---- relevance and corrections


def test_relevance_stands_beside_the_set_and_its_changes(terms):
    other = terms.assign(seed=1, relevance=terms["relevance"] * 2)
    other.loc[0, "active"] = False
    figure = plot_relevance(
        pd.concat([terms, other]), "Autoencoder", "Autoencoder", (0, 0, 1), expected=["a"]
    )
    left, middle, right = figure.axes
    assert tick_texts(left) == [LONG.replace("_", " "), f"{STAR} a"]
    assert [bar.get_width() for bar in left.patches] == [5, 1]
    np.testing.assert_allclose(left.collections[0].get_offsets(), [[10, 0]])
    legends = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    assert sorted(legends) == ["expected term", "other seeds (in brackets: their numbers)"]
    assert [bar.get_width() for bar in middle.patches] == [34, 12]
    assert sorted(bar.get_width() for bar in right.patches) == [-3, 0, 0, 2]
    assert sorted(t.get_text() for t in right.texts) == [
        "+2", "genes added", "genes removed", "−3 (3)"  # a is off in the other
    ]  # fmt: skip
    dots = np.concatenate([c.get_offsets() for c in right.collections if len(c.get_offsets())])
    np.testing.assert_allclose(dots, [[-3, 0]])
    assert left.get_xlabel() == "norm of the term's weights"
    assert nothing_overlaps(figure)


def test_corrected_genes_come_strongest_first():
    W = np.array([[0.5, 0], [-2.0, 0], [0.01, 0], [0.001, 0], [0, 3.0]])
    fit = make_fit(
        np.zeros((4, 2)), W, [1, 2], active=[True, False], added=["GENE1 GENE2", "GENE5"]
    )
    fit.terms["genes_removed"] = ["GENE3 GENE4", ""]
    table = corrected_genes(fit)
    assert table.values.tolist() == [
        ["SIMULATED_PATHWAY_1", "GENE2", "added", -2.0],
        ["SIMULATED_PATHWAY_1", "GENE1", "added", 0.5],
        ["SIMULATED_PATHWAY_1", "GENE4", "removed", 0.001],
        ["SIMULATED_PATHWAY_1", "GENE3", "removed", 0.01],
    ]


def test_of_many_corrected_genes_the_first_are_listed():
    W = np.arange(1.0, 151)[:, None]
    added = [" ".join(f"GENE{i + 1}" for i in range(150))]
    table = corrected_genes(make_fit(np.zeros((4, 1)), W, [1], added=added))
    assert list(table["weight"]) == list(range(150, 50, -1))


def test_corrections_name_genes_whole_and_count_the_rest(terms):
    added = [f"VERY-LONG-GENE-NAME-{i}" for i in range(11)]
    corrections = pd.DataFrame(
        [("a", gene, "added", -1.0 if i == 0 else 1.0) for i, gene in enumerate(added)]
        + [(LONG, "GENE3", "removed", 0.0)],
        columns=["term", "gene", "change", "weight"],
    ).assign(seed=0)
    terms["genes_added"] = [" ".join([*added, "ONE-THAT-IS-NOT-LISTED"]), "", "", ""]
    terms["genes_removed"] = ["", "GENE3", "", ""]
    figure = plot_corrections(corrections, terms, "f-scLVM", expected=[LONG])
    left, middle, right = figure.axes
    assert tick_texts(left) == [f"{STAR} {LONG.replace('_', ' ')}", "a"]
    assert [t.get_text() for t in left.texts] == ["GENE3", ""]
    names = right.texts[1].get_text()
    assert names.replace("\n", " ") == "−" + ", ".join(added[:8]) + " and 4 more"
    assert sorted(bar.get_width() for bar in middle.patches) == [-1, 0, 0, 12]
    assert figure.get_suptitle() == "f-scLVM: 2 of 2 active gene sets changed"
    assert nothing_overlaps(figure)


def test_corrections_say_what_other_seeds_change(terms):
    first = terms.assign(genes_added=["G1 G2 G3", "", "", ""], genes_removed=["", "G4", "", ""])
    second = first.assign(seed=1, genes_added=["G2 G3 G5 G6", "G7", "", ""])
    third = first.assign(
        seed=2, genes_added=["G2 G9", "", "", ""], genes_removed=["G8", "", "", ""]
    )
    fourth = third.assign(seed=3, active=[False, False, False, True])  # off: says nothing
    corrections = pd.DataFrame(
        [("a", gene, "added", 1.0) for gene in ("G1", "G2", "G3")] + [(LONG, "G4", "removed", 0.0)],
        columns=["term", "gene", "change", "weight"],
    ).assign(seed=0)
    figure = plot_corrections(corrections, pd.concat([first, second, third, fourth]), "Autoencoder")
    left, middle, right = figure.axes
    assert [t.get_text() for t in right.texts] == ["", "G1, G2*, G3"]
    assert [t.get_text() for t in left.texts] == ["G4", ""]  # the third seed removes it not
    notes = {t.get_text() for t in middle.texts}
    words = {"genes removed", "genes added"}
    assert notes == {"+3 (2 to 4)", "0 (0 to 1)", "−1 (0 to 1)"} | words
    figure.canvas.draw()
    zero = middle.transData.transform((0, 0))[0]
    removed, added = (
        next(t for t in middle.texts if t.get_text() == w) for w in sorted(words)[::-1]
    )
    left_of, right_of = removed.get_window_extent(), added.get_window_extent()
    assert left_of.x1 < zero < right_of.x0  # each word on its side of zero
    assert zero - left_of.x1 == pytest.approx(right_of.x0 - zero, abs=2)
    for word, color in ((removed, CHANGES["removed"][1]), (added, CHANGES["added"][1])):
        assert word.get_color() == color
    dots = [c.get_offsets() for c in middle.collections if len(c.get_offsets())]
    assert sorted(x for part in dots for x in part[:, 0]) == [-1, -1, 0, 0, 0, 1, 2, 4]
    legends = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    assert legends == ["other seeds (in brackets: their numbers)"]
    assert nothing_overlaps(figure)


def test_figures_say_why_they_are_empty(terms):
    none = pd.DataFrame(columns=["seed", "term", "gene", "change", "weight"])
    off = terms.assign(active=False)
    for figure, why in (
        (
            plot_corrections(none, terms.assign(genes_added="", genes_removed=""), "PCA"),
            "changed none of its 2 active gene sets",
        ),
        (plot_corrections(none, terms.iloc[:0], "slalom"), "slalom has not finished its fit"),
        (plot_relevance(terms.iloc[:0], "slalom", "Slalom", "k"), "has not finished its fit"),
        (plot_relevance(off, "AE", "Autoencoder", "k"), "switched every term off"),
        (plot_top_terms(terms.iloc[:0], LABELS, {}), "no method with gene sets"),
        (plot_scatter({}, [], LABELS), "no method has finished"),
        (plot_loadings({}, [], LABELS), "no method has finished"),
    ):
        assert why in all_texts(figure)[0]


# ---- what the config says


@pytest.fixture
def paper(monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)
    return load_config(["config.yaml"])


def test_figures_show_the_main_methods_and_the_users_own(paper):
    main = ["autoencoder", "autoencoder_exact", "fsclvm", "fsclvm_dense3"]
    assert Benchmark(paper).shown_methods("kang17") == main
    paper["methods"]["mine"] = {"model": "FSCLVM"}
    paper["methods"]["my_control"] = {"model": "FSCLVM", "role": "control"}
    assert Benchmark(paper).shown_methods("kang17") == [*main, "mine"]
    paper["analyses"]["kang17"]["scatter_methods"] = ["slalom"]
    assert Benchmark(paper).shown_methods("kang17") == ["slalom"]
    paper["run"]["methods"] = ["slalom", "fsclvm_annotation", "pca"]
    assert Benchmark(paper).shown_methods("macosko15") == ["slalom", "fsclvm_annotation"]
    paper["run"]["methods"] = ["my_control", "pca"]
    assert Benchmark(paper).shown_methods("macosko15") == ["my_control"]


def test_expected_terms_default_to_those_that_the_config_names(paper):
    benchmark = Benchmark(paper)
    assert benchmark.expected("kang17") == paper["analyses"]["kang17"]["terms"]
    assert benchmark.expected("macosko15") == ["ASTROCYTES", "REGULATION_OF_INSULIN_SECRETION"]
    assert "MRNA_PROCESSING" in benchmark.expected("covid_balf")
    assert benchmark.expected("simulated") == []


@pytest.mark.parametrize(
    ("dataset", "entry", "message"),
    [
        ("kang17", {"loadings": {"term": []}}, "unknown key 'term'; did you mean 'terms'"),
        ("kang17", {"conditions": {"ctrl": 1}}, "conditions: ctrl: must be of type string"),
        ("macosko15", {"conditions": {"a": "b"}}, "macosko15 names no condition in labels"),
        ("buettner15", {"loadings": {"cell_types": ["ES"]}},
         "buettner15: loadings: cell_types: datasets: buettner15 names no cell_type in labels"),
    ],
)  # fmt: skip
def test_mistakes_are_told_by_name(paper, dataset, entry, message):
    paper["analyses"][dataset] = entry
    with pytest.raises(ConfigError) as error:
        Benchmark(paper)
    assert message in str(error.value)

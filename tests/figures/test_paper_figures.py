"""Expected terms, corrected genes, and what the config says of figures."""

import numpy as np
import pandas as pd
import pytest
from figure_texts import all_texts, tick_texts
from fits import LONG, make_fit

from intae.benchmark.config import load_config
from intae.benchmark.plan import Benchmark
from intae.errors import ConfigError
from intae.figures.cells import plot_loadings, plot_scatter
from intae.figures.style import STAR
from intae.figures.terms import plot_top_terms
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


# ---- corrected genes


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


def test_figures_say_why_they_are_empty(terms):
    for figure, why in (
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
    main = ["autoencoder_exact", "autoencoder", "fsclvm", "fsclvm_dense3"]
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


def test_the_recommended_method_answers_first_or_the_next_that_runs(paper):
    assert Benchmark(paper).recommended("kang17") == "autoencoder_exact"
    for methods, first in (
        (["fsclvm", "autoencoder_dense3", "ulm"], "autoencoder_dense3"),  # exact as well
        (["pca", "ulm", "fsclvm", "autoencoder"], "autoencoder"),  # in the registry's order
        (["pca", "ulm"], "ulm"),
        (["pca"], None),
    ):
        paper["run"]["methods"] = methods
        assert Benchmark(paper).recommended("macosko15") == first


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

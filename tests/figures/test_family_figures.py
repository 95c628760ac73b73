"""Figures have one line per family of terms, with its members."""

import numpy as np
import pandas as pd
import pytest
from figure_texts import nothing_overlaps, tick_texts
from fits import LONG

from intae.figures.families import family_label, members_of, one_line_each, relatives
from intae.figures.known_pairs import plot_known_pairs
from intae.figures.stability import plot_stability
from intae.figures.style import STAR
from intae.figures.terms import plot_top_terms

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "pca": "PCA"}


@pytest.fixture
def terms():
    """Of one family a leads in the first seed and b in the second; c is off; d stands alone."""
    rows = [
        (0, "a", 5.0, 1, True, "a"), (0, "b", 2.0, 3, True, "a"), (0, "c", 0.0, 4, False, "a"),
        (0, "d", 3.0, 2, True, "d"), (0, "e", 0.0, 5, False, "e"),
        (1, "a", 0.0, 4, False, "b"), (1, "b", 4.0, 1, True, "b"), (1, "c", 0.0, 5, False, "b"),
        (1, "d", 1.0, 2, True, "d"), (1, "e", 0.5, 3, True, "e"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["seed", "term", "relevance", "rank", "active", "family"])
    return table.assign(method="ae", kind="annotated", n_genes=12, genes_added="", genes_removed="")


def test_members_are_those_of_the_first_seed_the_most_relevant_first(terms):
    assert members_of(terms) == {"a": ["b", "c"]}
    assert relatives(terms) == {"a": ["b", "c"], "b": ["a", "c"], "c": ["a", "b"]}
    assert members_of(terms.drop(columns="family")) == {}
    assert members_of(terms.assign(family=np.nan)) == {}  # a method that finds none
    assert members_of(terms.assign(active=False)) == {}


def test_each_seed_has_one_row_per_family_that_of_its_most_relevant_term(terms):
    lines = one_line_each(terms, members_of(terms))
    found = lines.set_index(["seed", "term"])
    assert list(found.loc[0].index) == ["a", "d", "e"]
    assert found.loc[(1, "a"), "relevance"] == 4  # by another name there
    assert list(found.loc[1, "rank"]) == [1, 2, 3]
    pd.testing.assert_frame_equal(one_line_each(terms, {}), terms)


def test_a_family_of_many_names_two_and_counts_the_rest():
    label = family_label(LONG, {LONG: ["b_1", "c", "d", "e"]})
    assert label.replace("\n", " ") == f"{LONG.replace('_', ' ')} or b 1, c and 2 more"
    assert family_label("a", {"b": ["c"]}) == "a"


def test_the_most_relevant_terms_have_one_line_per_family(terms):
    one = terms[terms["seed"] == 0]
    figure = plot_top_terms(one, LABELS, {"ae": "Autoencoder"}, expected=["c"])
    axis = figure.axes[0]
    assert tick_texts(axis) == [f"{STAR} a or b, c", "d"]  # a member is expected
    assert [bar.get_width() for bar in axis.patches] == [5, 3]
    (tick,) = (s for lines in axis.collections for s in lines.get_segments())
    np.testing.assert_allclose(tick[:, 0], 2)  # b is on as well
    assert nothing_overlaps(figure)
    axis = plot_top_terms(terms, LABELS, {"ae": "Autoencoder"}).axes[0]
    assert tick_texts(axis) == ["a or b, c", "d", "e"]
    np.testing.assert_allclose([bar.get_width() for bar in axis.patches], [4.5, 2, 0.25])
    assert [t.get_text() for t in axis.texts] == ["2 of 2", "2 of 2", "1 of 2"]


@pytest.fixture
def stability():
    own = {
        "(median |r|)": 0.9, "(mean |r|)": 0.8, "(shared of the 10 most relevant)": 7.0,
        "(number of pairs)": 5.0,
    }  # fmt: skip
    rows = [("ae", "donors", s, v) for s, v in own.items()]
    rows += [("pca", "donors", s, v) for s, v in own.items()]
    rows += [
        ("ae", "donors", "(Jaccard index of active terms)", 0.79),
        ("ae", "donors", "(Jaccard index of active families)", 0.84),
        ("ae", "donors", "(Jaccard index, families of all cells)", 0.9),
        ("ae", "donors", "(Jaccard index, families drawn at random)", 0.83),
        ("pca", "donors", "(Jaccard index of active terms)", 1.0),
    ]
    table = pd.DataFrame(rows, columns=["method", "kind", "term", "r"])
    return table.assign(r_min=table["r"], r_max=table["r"])


def test_stability_has_a_bar_by_family_and_a_stroke_for_chance(stability):
    figure = plot_stability(stability, LABELS)
    axis = figure.axes[1]
    assert [bar.get_width() for bar in axis.patches] == [0.79, 0.9, 1]
    assert [bar.get_hatch() for bar in axis.patches] == [None, "////", None]
    (stroke,) = (s for lines in axis.collections for s in lines.get_segments())
    np.testing.assert_allclose(stroke[:, 0], 0.83)
    assert [t.get_text() for t in axis.texts] == ["0.79", "0.90", "1.00"]
    assert all(len(other.patches) == 2 for other in (figure.axes[0], figure.axes[2]))
    assert [t.get_text()[:10] for t in figure.legends[0].get_texts()] == [
        "Jaccard in", "by family ", "by as many",
    ]  # fmt: skip
    assert nothing_overlaps(figure)


def test_without_the_families_of_all_cells_those_of_the_fits_count(stability):
    gone = stability["term"].str.contains("all cells|random")
    figure = plot_stability(stability[~gone], LABELS)
    assert [bar.get_width() for bar in figure.axes[1].patches] == [0.79, 0.84, 1]
    assert len(figure.legends[0].get_texts()) == 2
    none = plot_stability(stability[~gone & ~stability["term"].str.contains("famil")], LABELS)
    assert not none.legends and len(none.axes[1].patches) == 2


def test_known_pairs_name_the_family_below_the_term():
    columns = "method seed term label value n_cells kept active auroc rank".split()
    row = ("ae", 0, "a", "cell_type", "B cells", 42, True, True, 0.9, 1)
    table = pd.DataFrame([row], columns=columns).assign(n_terms=143)
    axis = plot_known_pairs(table, LABELS, family={"a": ["b"], "z": ["y"]}).axes[0]
    assert tick_texts(axis) == ["a or b must mark B cells (42 cells)"]

"""Pictures of terms: what they show, in scanpy's habits."""

import matplotlib as mpl
import numpy as np
import pytest
from test_tl import SETS, raw  # noqa: F401  a fixture

import intae
from intae.errors import IntaeError

mpl.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")


@pytest.fixture
def drawn(raw):  # noqa: F811
    intae.tl.terms(raw, SETS)
    raw.obsm["X_umap"] = np.random.default_rng(0).normal(size=(200, 2))
    return raw


def test_bars_are_the_relevance_of_the_top_terms(drawn):
    axis = intae.pl.terms(drawn, n_terms=2, show=False)
    table = drawn.uns["intae"]["terms"]
    top = list(drawn.uns["intae"]["top"])[:2]
    assert [bar.get_width() for bar in axis.patches] == list(table.loc[top, "relevance"])
    labels = [tick.get_text() for tick in axis.get_yticklabels()]
    assert labels == [name.removeprefix("TEST_").replace("_", " ") for name in top]
    assert {text.get_text() for text in axis.texts} == {"15 genes"}


def test_a_map_holds_the_mean_loadings_of_groups(drawn):
    axes = intae.pl.terms(drawn, "condition", list(SETS), show=False)
    heat = next(ax for name, ax in axes.items() if name == "mainplot_ax")
    shown = heat.collections[0].get_array().reshape(3, 2) if heat.collections else None
    names = list(drawn.uns["intae"]["terms"].index)
    loadings = drawn.obsm["X_intae"][:, [names.index(term) for term in SETS]]
    conditions = drawn.obs["condition"].to_numpy()
    means = np.stack([loadings[conditions == value].mean(0) for value in ("a", "b")], axis=1)
    np.testing.assert_allclose(shown, means, rtol=1e-4, atol=1e-5)


def test_an_embedding_has_a_panel_a_term_with_zero_in_the_middle(drawn):
    axes = intae.pl.embedding(drawn, terms=["TEST_SET_2", "TEST_SET_0"], show=False)
    assert [ax.get_title() for ax in axes] == ["SET 2", "SET 0"]
    names = list(drawn.uns["intae"]["terms"].index)
    for ax, term in zip(axes, ("TEST_SET_2", "TEST_SET_0"), strict=True):
        low, high = ax.collections[0].get_clim()
        assert low == -high
        shown = np.sort(np.asarray(ax.collections[0].get_array()))
        np.testing.assert_allclose(shown, np.sort(drawn.obsm["X_intae"][:, names.index(term)]))


@pytest.mark.parametrize("hue", [None, "condition"])
def test_violins_have_a_panel_a_term_and_a_group_a_place(drawn, hue):
    axes = intae.pl.violin(drawn, "donor", hue, n_terms=2, show=False)
    assert len(axes) == 2
    groups = [tick.get_text() for tick in axes[-1].get_xticklabels()]
    assert groups == [f"d{i}" for i in range(8)]
    legend = axes[0].figure.legends
    assert [t.get_text() for t in legend[0].get_texts()] == ["a", "b"] if hue else not legend


def test_colours_are_those_that_scanpy_keeps(drawn):
    drawn.uns["condition_colors"] = ["#ff0000", "#00ff00"]
    (axis,) = intae.pl.violin(drawn, "condition", n_terms=1, show=False)
    colors = [mpl.colors.to_hex(body.get_facecolor()[0]) for body in axis.collections[:2]]
    assert colors == ["#ff0000", "#00ff00"]


def test_figures_are_shown_or_returned(drawn, monkeypatch):
    shown = []
    monkeypatch.setattr("intae.pl.plt.show", lambda: shown.append(1))
    assert intae.pl.terms(drawn, show=True) is None and len(shown) == 1


def test_what_is_not_there_is_refused(drawn):
    with pytest.raises(IntaeError, match=r"no obsm\['X_tsne'\]; compute it first"):
        intae.pl.embedding(drawn, "tsne", show=False)
    with pytest.raises(IntaeError, match="groupby: there is no column 'donors' in obs; did you"):
        intae.pl.violin(drawn, "donors", show=False)
    with pytest.raises(IntaeError, match="hue: there is no column"):
        intae.pl.violin(drawn, "donor", "x", show=False)
    with pytest.raises(IntaeError, match="there is no term 'SET_9'"):
        intae.pl.terms(drawn, terms=["SET_9"], show=False)
    drawn.uns["intae"]["top"] = np.array([], dtype=object)
    with pytest.raises(IntaeError, match="no gene set is active"):
        intae.pl.terms(drawn, show=False)

"""Scatter and loadings show the right cells, terms and groups."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_texts import named, nothing_overlaps
from fits import LONG, make_fit

from intae.errors import IntaeError
from intae.figures.cells import choose_terms, plot_loadings, plot_scatter
from intae.figures.groups import choose_cell_types, order_conditions, palette_of
from intae.figures.style import label_colors
from intae.figures.umap import plot_umap
from intae.metrics.terms import own_or_nearest

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "fsclvm": "f-scLVM", "slalom": "slalom", "pca": "PCA"}


# ---- a term that is off


def fit_of(annotations, relevance, active, *, dense=0):
    """Make a fit with these annotated terms, then dense ones."""
    n_terms = annotations.shape[1] + dense
    z = np.random.default_rng(0).normal(size=(5, n_terms))
    fit = make_fit(z, np.ones((len(annotations), n_terms)), relevance, active=active)
    return named(fit, [*annotations.columns, *(f"dense_{k + 1}" for k in range(dense))])


def test_an_active_term_stands_for_itself_and_one_off_for_the_most_relevant_near_it():
    annotations = pd.DataFrame(
        {
            "WIDE": [1, 1, 1, 1, 1, 1, 0, 0],
            "SMALL": [1, 1, 0, 0, 0, 0, 0, 0],  # Jaccard index with WIDE 2/6
            "LARGER": [1, 1, 1, 0, 0, 0, 0, 0],  # 3/6, but less relevant
            "FAR": [0, 0, 0, 0, 0, 1, 1, 1],  # 1/8
            "ALONE": [0, 0, 0, 0, 0, 0, 0, 1],
        }
    )
    fit = fit_of(annotations, [0, 5, 3, 9, 0], [False, True, True, True, False])
    assert own_or_nearest(fit, annotations, ["WIDE", "SMALL", "ALONE"]) == {
        "WIDE": "SMALL", "SMALL": "SMALL", "ALONE": "FAR",
    }  # fmt: skip
    fit.terms.loc["FAR", "active"] = False
    assert own_or_nearest(fit, annotations, ["ALONE"]) == {"ALONE": None}


def test_a_term_that_is_off_but_read_stands_for_itself():
    annotations = pd.DataFrame({"OFF": [1, 1, 0], "ON": [1, 1, 0]})
    fit = fit_of(annotations, [0, 1], [False, True])
    assert own_or_nearest(fit, annotations, ["OFF"]) == {"OFF": "ON"}
    fit.loadings["OFF"] = range(5)
    assert own_or_nearest(fit, annotations, ["OFF"]) == {"OFF": "OFF"}


def test_dense_terms_of_a_fit_are_never_near():
    annotations = pd.DataFrame({"A": [1, 1, 0], "B": [1, 1, 0]})
    fit = fit_of(annotations, [0.0, 1.0, 9.0], [False, True, True], dense=1)
    assert own_or_nearest(fit, annotations, ["A"]) == {"A": "B"}


# ---- order


def test_controls_come_first_and_numbers_are_read_as_numbers():
    assert list(order_conditions(pd.Series(["stim", "ctrl"]))) == ["ctrl", "stim"]
    assert list(order_conditions(pd.Series(["M", "S", "HC"]))) == ["HC", "M", "S"]
    assert list(order_conditions(pd.Series(["h10", "h2", "untreated"]))) == [
        "untreated", "h2", "h10",
    ]  # fmt: skip


def test_the_configs_order_wins_and_names_what_it_names(caplog):
    values = pd.Series(["a", "c", "b"])
    assert order_conditions(values, {"c": "third", "x": "none", "a": "first"}) == {
        "c": "third", "a": "first", "b": "b",
    }  # fmt: skip
    assert "no cell has 'x'" in caplog.text


def test_an_ordered_categorical_keeps_its_order():
    values = pd.Series(pd.Categorical(["S", "G1"], ["G1", "S", "G2M"], ordered=True))
    assert list(order_conditions(values)) == ["G1", "S"]


def test_cell_types_by_frequency_or_as_asked(caplog):
    values = pd.Series(["T"] * 3 + ["B"] * 5 + ["NK"])
    assert choose_cell_types(values, [], 2) == ["B", "T"]
    assert choose_cell_types(values, ["NK", "Mast", "B"], 2) == ["NK", "B"]
    assert "no cell is 'Mast'" in caplog.text


# ---- scatter and loadings


@pytest.fixture
def fit():
    rng = np.random.default_rng(0)
    condition = np.resize(["S", "M", "HC"], 300)
    z = rng.normal(size=(300, 3))
    z[:, 0] += 3 * (condition == "S")
    fit = make_fit(z, np.ones((3, 3)), [1, 2, 3], active=[True, True, False])
    fit.obs["condition"] = condition
    fit.obs["cell_type"] = ["T"] * 200 + ["NK"] * 80 + ["Mast"] * 20
    return named(fit, ["INTERFERON", LONG, "OFF"])


def test_the_terms_wanted_are_drawn_and_else_the_most_relevant(fit, caplog):
    assert choose_terms({"ae": fit}, ["OFF", "NONE"]) == ["OFF"]
    assert "left out: NONE" in caplog.text
    assert choose_terms({"ae": fit}, [], exactly=2) == [LONG, "INTERFERON"]
    with pytest.raises(
        IntaeError, match="analyses: 'OF' is no term of these data; did you mean 'O"
    ):
        choose_terms({"ae": fit}, ["OFF", "OF"], exactly=2)
    with pytest.raises(IntaeError, match="analyses: 'NONE' is no term of these data; known are IN"):
        choose_terms({"ae": fit}, ["NONE"])
    assert choose_terms({}, ["OFF"]) == []


def test_scatter_draws_what_stands_for_a_term_that_is_off(fit):
    near = {"ae": {"OFF": LONG, "INTERFERON": "INTERFERON"}}
    figure = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near)
    left, right = figure.axes
    z = fit.loadings.to_numpy()
    for axis in (left, right):
        shown = np.asarray(axis.collections[0].get_offsets())
        assert {tuple(row) for row in shown} == {tuple(row) for row in z[:, [1, 0]]}
        label = axis.get_xlabel().replace("\n", " ")
        assert label == f"{LONG.replace('_', ' ')} (for OFF, which is off)"
    assert left.get_title(loc="left") == "Autoencoder, seed 0\nby condition"
    assert right.get_title(loc="left") == "Autoencoder, seed 0\nby cell type"


def test_scatter_gives_each_cell_the_colour_of_its_label(fit):
    figure = plot_scatter(
        {"ae": fit}, ["INTERFERON", LONG], LABELS, conditions={"HC": "healthy", "M": "moderate"}
    )
    legend = [t.get_text().strip() for t in figure.legends[0].get_texts()]
    assert legend == ["condition", "healthy", "moderate", "S", "cell type", "Mast", "NK", "T"]
    points = figure.axes[0].collections[0]
    first, colors = fit.loadings["INTERFERON"], label_colors(["HC", "M", "S"])
    for (x, _), color in zip(points.get_offsets(), points.get_facecolors(), strict=True):
        condition = fit.obs["condition"].iloc[int(np.argmin(np.abs(first - x)))]
        assert tuple(color[:3]) == pytest.approx(colors[condition])


def test_scatter_spreads_cells_along_a_term_that_is_off(fit):
    near = {"ae": {"OFF": None, "INTERFERON": "INTERFERON"}}
    axis = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near).axes[0]
    shown = np.asarray(axis.collections[0].get_offsets())
    np.testing.assert_allclose(sorted(shown[:, 1]), sorted(fit.loadings["INTERFERON"]))
    assert axis.get_xlabel() == "OFF is off" and not len(axis.get_xticks())
    assert len(axis.get_yticks())
    near = {"ae": {"OFF": None, "INTERFERON": None}}
    axis = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near).axes[0]
    assert not axis.collections and "both are off" in axis.texts[0].get_text()


def test_scatter_says_how_well_each_seed_separates(fit):
    rows = [
        ("ae", seed, "INTERFERON", label, value, n, auroc)
        for seed, label, value, n, auroc in (
            (0, "condition", "S", 100, 0.9), (1, "condition", "S", 100, 0.2),
            (0, "condition", "M", 100, 0.5), (1, "condition", "M", 100, 0.6),
            (0, "cell_type", "T", 200, 0.75), (0, "cell_type", "Mast", 5, 1.0),
        )
    ] + [("other", 0, "INTERFERON", "condition", "M", 100, 1.0)]  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["method", "seed", "term", "label", "value", "n_cells", "auroc"]
    )
    figure = plot_scatter(
        {"ae": fit}, ["INTERFERON", LONG], LABELS, conditions={"S": "severe"}, separation=table
    )
    by_condition, by_type = figure.axes
    # 0.2 separates as well as 0.8 does; five cells say nothing
    assert by_condition.get_xlabel() == (
        "INTERFERON\nbest separated: severe\nAUROC 0.850 (0.800 to 0.900, 2 seeds)"
    )
    assert by_type.get_xlabel() == "INTERFERON\nbest separated: T\nAUROC 0.750"
    assert by_type.get_ylabel().replace("\n", " ") == LONG.replace("_", " ")  # not in the table


def medians(axis):
    """Return the medians that the violins of an axis show, by where they stand."""
    lines = [line for line in axis.lines if len(line.get_xdata()) == 1]
    lines = [line for line in lines if line.get_marker() != "D"]  # of other seeds
    return {float(line.get_xdata()[0]): float(line.get_ydata()[0]) for line in lines}


def test_loadings_by_cell_type_and_condition(fit):
    figure = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS, cell_types=["NK", "T"])
    axis = figure.axes[0]
    groups = fit.loadings["INTERFERON"].groupby([fit.obs["cell_type"], fit.obs["condition"]])
    wanted = [groups.get_group((c, k)).median() for c in ("NK", "T") for k in ("HC", "M", "S")]
    shown = medians(axis)
    np.testing.assert_allclose([shown[x] for x in sorted(shown)], wanted)
    ticks = [t.get_text().replace("\n", " ") for t in axis.get_xticklabels()]
    n = groups.size()
    assert ticks == [f"{c} n = {n[c]['HC']} / {n[c]['M']} / {n[c]['S']}" for c in ("NK", "T")]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["HC", "M", "S"]
    assert nothing_overlaps(figure)


def diamonds(axis):
    """Return where the medians of other seeds stand, and how high."""
    marks = [line for line in axis.lines if line.get_marker() == "D"]
    return [(float(m.get_xdata()[0]), float(m.get_ydata()[0])) for m in marks]


def test_loadings_show_the_medians_of_other_seeds_on_the_scale_of_the_first(fit):
    turned = replace(fit, loadings=5 - 7 * fit.loadings)  # the same answer
    noise = np.random.default_rng(9).normal(size=(300, 3))
    other = replace(fit, loadings=fit.loadings * 0 + noise)
    off = replace(fit, terms=fit.terms.assign(active=False), loadings=fit.loadings * 0)
    read = replace(off, loadings=turned.loadings)

    def axis_with(*others):
        figure = plot_loadings(
            {"ae": fit}, ["INTERFERON"], LABELS, cell_types=["T"], others={"ae": others}
        )
        return figure.axes[0]

    axis = axis_with(turned)
    same, violins = diamonds(axis), sorted(medians(axis).items())
    np.testing.assert_allclose([y for _, y in same], [y for _, y in violins])
    beside = [x - center for (x, _), (center, _) in zip(same, violins, strict=True)]
    assert 0 < min(beside) <= max(beside) < 0.5 * 0.8 / 3  # half a violin
    legend = [t.get_text() for t in axis.figure.legends[0].get_texts()]
    assert legend == ["HC", "M", "S", "median from another seed"]
    apart = np.subtract([y for _, y in diamonds(axis_with(other))], [y for _, y in same])
    assert np.abs(apart).max() > 0.5
    axis = axis_with(turned, off)
    assert len(diamonds(axis)) == 3
    assert axis.get_title(loc="left") == "INTERFERON\n(on from 2 of 3 seeds)"
    axis = axis_with(turned, read)  # both say something
    assert len(diamonds(axis)) == 6 and "seed" not in axis.get_title(loc="left")
    axis = axis_with()
    assert not diamonds(axis) and "seed" not in axis.get_title(loc="left")


def test_a_small_group_is_drawn_as_its_cells(fit):
    figure = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS, cell_types=["T", "Mast"])
    dots = np.concatenate([
        c.get_offsets()[:, 1] for c in figure.axes[0].collections
        if isinstance(c, mpl.collections.PathCollection) and len(c.get_offsets())
    ])  # fmt: skip
    mast = fit.loadings.loc[fit.obs["cell_type"] == "Mast", "INTERFERON"]
    np.testing.assert_allclose(sorted(dots), sorted(mast))
    assert len(medians(figure.axes[0])) == 3  # those of the T cells


def test_loadings_without_conditions_or_without_cell_types(fit):
    conditions = fit.obs.pop("condition")
    axis = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS).axes[0]
    ticks = [t.get_text().replace("\n", " ") for t in axis.get_xticklabels()]
    assert ticks == ["T n = 200", "NK n = 80", "Mast n = 20"]
    fit.obs = pd.DataFrame({"condition": conditions})
    axis = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS).axes[0]
    ticks = [t.get_text().replace("\n", " ") for t in axis.get_xticklabels()]
    assert ticks == ["HC n = 100", "M n = 100", "S n = 100"]
    shown = medians(axis)
    wanted = fit.loadings["INTERFERON"].groupby(conditions).median()
    np.testing.assert_allclose([shown[x] for x in sorted(shown)], wanted[["HC", "M", "S"]])


def test_loadings_name_what_stands_for_a_term_and_what_is_off(fit):
    near = {"ae": {"OFF": None, "INTERFERON": LONG}}
    off, stand_in = plot_loadings({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near).axes
    assert off.get_title(loc="left") == "OFF is off" and not off.collections
    title = stand_in.get_title(loc="left").replace("\n", " ")
    assert title == f"{LONG.replace('_', ' ')} (for INTERFERON, which is off)"


def test_a_term_that_is_off_but_read_is_drawn_itself(fit):
    fit.loadings["OFF"] = read = np.random.default_rng(5).normal(size=300)
    axis = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS).axes[0]
    shown = np.asarray(axis.collections[0].get_offsets())
    np.testing.assert_allclose(sorted(shown[:, 0]), sorted(read))
    assert axis.get_xlabel() == "OFF\n(off, but read)" and len(axis.get_xticks())
    assert "off" not in axis.get_ylabel()
    axis = plot_loadings({"ae": fit}, ["OFF"], LABELS, cell_types=["T"]).axes[0]
    assert axis.get_title(loc="left") == "OFF\n(off, but read)"
    groups = fit.loadings["OFF"][fit.obs["cell_type"] == "T"].groupby(fit.obs["condition"])
    shown = medians(axis)
    np.testing.assert_allclose([shown[x] for x in sorted(shown)], groups.median()[["HC", "M", "S"]])


@pytest.mark.usefixtures("close_figures")
def test_dollar_signs_in_labels_are_no_formulas(fit, tmp_path):
    names = {"S": "$stim", "M": r"a $\frac{1}{ b$ $", "HC": "x_{"}
    fit.obs["condition"] = fit.obs["condition"].map(names)
    fit.obs["cell_type"] = fit.obs["cell_type"] + "$^$"
    near = {"ae": {"INTERFERON": "INTERFERON", LONG: LONG}}
    for figure in (
        plot_scatter({"ae": fit}, ["INTERFERON", LONG], {"ae": "a $method$ {"}, near),
        plot_loadings({"ae": fit}, [LONG], {"ae": "$"}, near),
    ):
        figure.savefig(tmp_path / "figure.pdf")
        texts = "".join(text.get_text() for text in figure.findobj(mpl.text.Text))
        assert r"a $\frac{1}{ b$ $" in texts


def test_a_value_has_one_colour_in_all_figures(fit):
    conditions = {"M": "moderate", "HC": "healthy", "S": "Severe"}
    palette = palette_of(fit.obs["condition"], "condition", conditions)
    wanted = {name: tuple(color) for name, color in palette.values()}
    assert list(wanted) == ["moderate", "healthy", "Severe"]
    handles = plot_scatter({"ae": fit}, ["INTERFERON", LONG], LABELS, conditions=conditions)
    shown = {h.get_label(): h.get_color() for h in handles.legends[0].legend_handles}
    violins = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS, conditions=conditions)
    filled = {h.get_label(): h.get_facecolor()[:3] for h in violins.legends[0].legend_handles}
    places = pd.DataFrame({"umap_1": 0.0, "umap_2": 0.0}, fit.obs.index)
    map_ = plot_umap(places, fit.obs, fit.loadings, [], conditions)["condition"].axes[0]
    named = {c.get_label(): tuple(c.get_facecolor()[0][:3]) for c in map_.collections[1:]}
    for found in (shown, filled, named):
        assert {name: found[name] for name in wanted} == {
            name: pytest.approx(color) for name, color in wanted.items()
        }


def test_conditions_without_cell_types_keep_their_colours(fit):
    alone = replace(fit, obs=fit.obs[["condition"]])
    figure = plot_loadings({"ae": alone}, ["INTERFERON"], LABELS)
    collections = [c for c in figure.axes[0].collections if len(c.get_facecolor())]
    drawn = [tuple(c.get_facecolor()[0][:3]) for c in collections]
    for _, color in palette_of(fit.obs["condition"], "condition").values():
        assert any(color == pytest.approx(c, abs=0.01) for c in drawn)

"""The figures of groups, pairs and corrections show the right data with whole labels."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fits import LONG, make_fit
from matplotlib.colors import to_rgb

from intae.config import Benchmark
from intae.config_files import load_config
from intae.errors import ConfigError
from intae.evaluate.agreement import agreement_table
from intae.evaluate.corrections import corrected_genes
from intae.evaluate.nearness import active_or_nearest
from intae.figures.changes import CHANGES
from intae.figures.corrected import plot_corrections, plot_relevance
from intae.figures.correlation_bars import plot_correlation_bars
from intae.figures.group_order import choose_cell_types, order_conditions
from intae.figures.groups import plot_loadings
from intae.figures.pairs import plot_agreement
from intae.figures.scatter import choose_terms, plot_scatter
from intae.figures.style import STAR, label_colors, method_colors
from intae.figures.terms import plot_correlation, plot_top_terms

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "fsclvm": "f-scLVM", "slalom": "slalom", "pca": "PCA"}


def tick_texts(axis):
    return [t.get_text().replace("\n", " ") for t in axis.get_yticklabels()]


def all_texts(figure):
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def nothing_overlaps(figure):
    """Whether no two texts of the figure lie on each other."""
    figure.canvas.draw()
    drawn = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for axis in figure.axes:
        drawn += [axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        for side in (axis.xaxis, axis.yaxis):  # there are labels beyond the ends, not drawn
            low, high = sorted(side.get_view_interval())
            drawn += [t.label1 for t in side.get_major_ticks() if low <= t.get_loc() <= high]
    boxes = [t.get_window_extent().padded(-1) for t in drawn if t.get_text() and t.get_visible()]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def named(fit, names):
    """Give the terms of a fit other names."""
    fit.uns["terms"].index = pd.Index(names, name="term")
    return fit


# ---- a term that is off


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
    terms = pd.DataFrame(
        {"relevance": [0, 5, 3, 9, 0], "active": [False, True, True, True, False]},
        index=annotations.columns,
    )
    assert active_or_nearest(terms, annotations, ["WIDE", "SMALL", "ALONE"]) == {
        "WIDE": "SMALL", "SMALL": "SMALL", "ALONE": "FAR",
    }  # fmt: skip
    terms.loc["FAR", "active"] = False
    assert active_or_nearest(terms, annotations, ["ALONE"]) == {"ALONE": None}


def test_dense_terms_of_a_fit_are_never_near():
    annotations = pd.DataFrame({"A": [1, 1, 0], "B": [1, 1, 0]})
    terms = pd.DataFrame(
        {"relevance": [0.0, 1.0, 9.0], "active": [False, True, True]}, index=["A", "B", "dense_1"]
    )
    assert active_or_nearest(terms, annotations, ["A"]) == {"A": "B"}


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
    fit = make_fit(rng.normal(size=(300, 3)), np.ones((3, 3)), [1, 2, 3],
                   active=[True, True, False])  # fmt: skip
    fit.obs["condition"] = np.resize(["S", "M", "HC"], 300)
    fit.obs["cell_type"] = ["T"] * 200 + ["NK"] * 80 + ["Mast"] * 20
    fit.obsm["loadings"][:, 0] += 3 * (fit.obs["condition"] == "S")
    return named(fit, ["INTERFERON", LONG, "OFF"])


def test_the_terms_wanted_are_drawn_and_else_the_most_relevant(fit, caplog):
    assert choose_terms({"ae": fit}, ["OFF", "NONE"]) == ["OFF"]
    assert "left out: NONE" in caplog.text
    assert choose_terms({"ae": fit}, ["OFF", "NONE"], exactly=2) == [LONG, "INTERFERON"]
    assert choose_terms({}, ["OFF"]) == []


def test_scatter_draws_what_stands_for_a_term_that_is_off(fit):
    near = {"ae": {"OFF": LONG, "INTERFERON": "INTERFERON"}}
    figure = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near)
    left, right = figure.axes
    z = fit.obsm["loadings"]
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
    first, colors = fit.obsm["loadings"][:, 0], label_colors(["HC", "M", "S"])
    for (x, _), color in zip(points.get_offsets(), points.get_facecolors(), strict=True):
        condition = fit.obs["condition"].iloc[int(np.argmin(np.abs(first - x)))]
        assert tuple(color[:3]) == pytest.approx(colors[condition])


def test_scatter_spreads_cells_along_a_term_that_is_off(fit):
    near = {"ae": {"OFF": None, "INTERFERON": "INTERFERON"}}
    axis = plot_scatter({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near).axes[0]
    shown = np.asarray(axis.collections[0].get_offsets())
    np.testing.assert_allclose(sorted(shown[:, 1]), sorted(fit.obsm["loadings"][:, 0]))
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
    z = pd.Series(fit.obsm["loadings"][:, 0], fit.obs.index)
    groups = z.groupby([fit.obs["cell_type"], fit.obs["condition"]])
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
    turned, other, off = fit.copy(), fit.copy(), fit.copy()
    turned.obsm["loadings"] = 5 - 7 * fit.obsm["loadings"]  # the same answer
    other.obsm["loadings"] = np.random.default_rng(9).normal(size=(300, 3))
    off.uns["terms"] = fit.uns["terms"].assign(active=False)

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
    axis = axis_with()
    assert not diamonds(axis) and "seed" not in axis.get_title(loc="left")


def test_a_small_group_is_drawn_as_its_cells(fit):
    figure = plot_loadings({"ae": fit}, ["INTERFERON"], LABELS, cell_types=["T", "Mast"])
    dots = np.concatenate([
        c.get_offsets()[:, 1] for c in figure.axes[0].collections
        if isinstance(c, mpl.collections.PathCollection) and len(c.get_offsets())
    ])  # fmt: skip
    mast = fit.obsm["loadings"][(fit.obs["cell_type"] == "Mast").to_numpy(), 0]
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
    wanted = pd.Series(fit.obsm["loadings"][:, 0]).groupby(conditions.to_numpy()).median()
    np.testing.assert_allclose([shown[x] for x in sorted(shown)], wanted[["HC", "M", "S"]])


def test_loadings_name_what_stands_for_a_term_and_what_is_off(fit):
    near = {"ae": {"OFF": None, "INTERFERON": LONG}}
    off, stand_in = plot_loadings({"ae": fit}, ["OFF", "INTERFERON"], LABELS, near).axes
    assert off.get_title(loc="left") == "OFF is off" and not off.collections
    title = stand_in.get_title(loc="left").replace("\n", " ")
    assert title == f"{LONG.replace('_', ' ')} (for INTERFERON, which is off)"


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


def test_expected_terms_in_the_correlations(correlation):
    axis = plot_correlation(correlation, LABELS, "fsclvm", expected=["x"]).axes[0]
    assert tick_texts(axis) == [LONG.replace("_", " "), f"{STAR} x", "z"]


# ---- agreement


@pytest.fixture
def correlation():
    return pd.DataFrame(
        [("ae", "fsclvm", "x", -0.9, 2), ("ae", "fsclvm", LONG, 0.1, 1),
         ("ae", "fsclvm", "z", np.nan, 3), ("ae", "slalom", "x", 0.5, 2),
         ("fsclvm", "slalom", "x", 0.25, 2), ("fsclvm", "slalom", LONG, -1.0, 1),
         ("fsclvm", "slalom", "z", 0.75, 3)],
        columns=["method_a", "method_b", "term", "r", "relevance_rank"],
    )  # fmt: skip


@pytest.fixture
def seeds(correlation):
    """Pairs of seeds: of ae and f-scLVM two, of f-scLVM with itself and with slalom one."""
    first = correlation.drop(columns="relevance_rank").assign(seed_a=0, seed_b=0)
    second = pd.DataFrame(
        [("ae", 1, "fsclvm", 0, "x", 0.5), ("ae", 1, "fsclvm", 0, LONG, np.nan),
         ("ae", 1, "fsclvm", 0, "z", np.nan), ("fsclvm", 0, "fsclvm", 1, "x", -0.75),
         ("fsclvm", 0, "fsclvm", 1, LONG, 0.9), ("fsclvm", 0, "fsclvm", 1, "z", np.nan)],
        columns=["method_a", "seed_a", "method_b", "seed_b", "term", "r"],
    )  # fmt: skip
    return pd.concat([first, second])


def test_bars_are_medians_over_pairs_of_seeds_in_the_order_of_relevance(correlation, seeds):
    figure = plot_correlation_bars(correlation, seeds, LABELS, "fsclvm", ["ae", "slalom"], 3, ["x"])
    itself, ae, slalom = figure.axes
    assert tick_texts(itself) == [LONG.replace("_", " "), f"{STAR} x", "z"]
    np.testing.assert_allclose([bar.get_width() for bar in itself.patches], [0.9, 0.75, 0])
    np.testing.assert_allclose([bar.get_width() for bar in ae.patches], [0.1, 0.7, 0])
    np.testing.assert_allclose([bar.get_width() for bar in slalom.patches], [1, 0.25, 0.75])
    assert [t.get_text() for t in ae.texts] == ["0.10 (1 of 2)", "0.70", "off"]
    segments = ae.collections[0].get_segments()
    np.testing.assert_allclose(segments[1], [[0.5, 1], [0.9, 1]])
    assert ae.get_title(loc="left") == "Autoencoder\nmedian 0.40, 2 of 3 on\n2 pairs of seeds"
    assert itself.get_title(loc="left").startswith("f-scLVM itself, other seeds\n")
    assert itself.get_title(loc="left").endswith("\n1 pair of seeds")
    assert to_rgb(ae.patches[0].get_facecolor()) == pytest.approx(method_colors(LABELS)["ae"])
    assert "f-scLVM" in itself.get_ylabel()


def test_bars_take_the_methods_that_there_are(correlation, seeds):
    pair = correlation[correlation["method_b"] == "fsclvm"]
    figure = plot_correlation_bars(pair, seeds, LABELS, "none", ["nobody"], 2)
    assert len(figure.axes) == 1  # ae, which has one fit, with f-scLVM; no panel of itself
    assert len(figure.axes[0].patches) == 2
    figure = plot_correlation_bars(pair.iloc[:0], seeds, LABELS, "fsclvm", ["ae"])
    assert "fewer than two methods" in all_texts(figure)[0]


def test_agreement_of_two_methods_by_hand():
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    y = np.column_stack([-x[:, 0], x[:, 1] + noise[:, 1], noise[:, 2], x[:, 3]])
    a = make_fit(x, np.ones((3, 4)), [4, 3, 2, 1], active=[True, True, True, False], method="a")
    b = make_fit(y, np.ones((3, 4)), [1, 2, 3, 4], method="b", seed=5)
    table = agreement_table([a, b], n_top=2)
    row = table.iloc[0]
    assert list(row[["method_a", "seed_a", "method_b", "seed_b"]]) == ["a", 0, "b", 5]
    r = [abs(np.corrcoef(x[:, k], y[:, k])[0, 1]) for k in range(3)]
    assert row["matched"] == "term" and row["n_terms"] == 3
    assert row["median_r"] == pytest.approx(np.median(r))
    assert row["jaccard"] == pytest.approx(3 / 4)
    assert (row["n_top"], row["shared_top"]) == (2, 0)  # terms 1 and 2 against 4 and 3
    assert np.isnan(row["median_r_top"])
    row = agreement_table([a, b], n_top=3).iloc[0]  # 1, 2, 3 against 4, 3, 2
    assert (row["n_top"], row["shared_top"]) == (3, 2)
    assert row["median_r_top"] == pytest.approx(np.mean(r[1:]))


def test_pca_is_paired_by_its_best_component():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 3))
    a = make_fit(x, np.ones((3, 3)), [3, 2, 1], active=[True, True, False])
    pca = make_fit(rng.normal(size=(40, 5)), np.ones((3, 5)), [5, 4, 3, 2, 1])
    pca.uns["terms"]["kind"] = "dense"
    table = agreement_table([pca, a, pca])
    assert len(table) == 2  # PCA is not compared with itself
    best = [
        max(abs(np.corrcoef(x[:, k], pca.obsm["loadings"][:, j])[0, 1]) for j in range(5))
        for k in range(2)
    ]
    for _, row in table.iterrows():
        assert row["matched"] == "component" and row["n_terms"] == 2
        assert row["median_r"] == pytest.approx(np.median(best))
        assert np.isnan(row["jaccard"]) and np.isnan(row["shared_top"])


def test_two_seeds_of_one_method_are_compared():
    z = np.random.default_rng(3).normal(size=(30, 2))
    fits = [make_fit(z, np.ones((3, 2)), [1, 2], seed=seed) for seed in (0, 1, 2)]
    table = agreement_table(fits)
    assert set(table["method_a"]) == set(table["method_b"]) == {"m"}
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == [(0, 1), (0, 2), (1, 2)]
    np.testing.assert_allclose(table["median_r"], 1)


@pytest.fixture
def agreement():
    none = [np.nan] * 4
    return pd.DataFrame(
        [("slalom", 0, "ae", 0, "term", 31, 0.25, 0.5, 20, 9, 0.625),
         ("ae", 1, "slalom", 0, "term", 41, 0.75, 0.5, 20, 12, 0.875),
         ("ae", 0, "ae", 1, "term", 50, 0.5, 0.5, 20, 14, 0.75),
         ("ae", 0, "pca", 0, "component", 40, 0.75, *none),
         ("ae", 1, "pca", 0, "component", 44, 0.75, *none),
         ("slalom", 0, "pca", 0, "component", 50, 0.125, *none)],
        columns=["method_a", "seed_a", "method_b", "seed_b", "matched", "n_terms", "median_r",
                 "jaccard", "n_top", "shared_top", "median_r_top"],
    )  # fmt: skip


def test_the_heat_map_gives_mean_and_range_over_pairs_of_seeds(agreement):
    figure = plot_agreement(agreement, LABELS, ["ae", "slalom", "pca"])
    left, right = figure.axes[:2]
    assert tick_texts(left) == ["Autoencoder", "slalom", "PCA (best component)"]
    assert [t.get_text() for t in left.get_xticklabels()] == tick_texts(left)
    values = left.collections[0].get_array()
    np.testing.assert_allclose(values.compressed(), [0.5, 0.5, 0.75, 0.125])
    assert [t.get_text() for t in left.texts] == [
        "0.50\n(50 terms)", "0.50\n0.25 to 0.75\n(36 terms)",
        "0.75\n(42 terms)", "0.12\n(50 terms)", "one fit", "one fit",
    ]  # fmt: skip
    assert [t.get_text() for t in right.texts] == [
        "14 of 20\n|r| 0.75", "10.5 of 20\n9 to 12\n|r| 0.75", "one fit", "–", "–", "one fit",
    ]  # fmt: skip
    np.testing.assert_allclose(right.collections[0].get_array().compressed(), [14 / 20, 10.5 / 20])
    frames = sorted((round(p.get_x()), round(p.get_y())) for p in left.patches)
    assert frames == [(0, 0), (1, 1), (2, 2)]
    assert len(plot_agreement(agreement, LABELS, ["ae"]).axes) == 0


def test_the_words_of_the_heat_map_stay_in_their_cells(agreement):
    figure = plot_agreement(agreement, LABELS, ["ae", "slalom", "pca"])
    figure.canvas.draw()
    for axis in figure.axes[:2]:
        cell = axis.get_window_extent().width / 3
        assert max(t.get_window_extent().width for t in axis.texts) < 0.95 * cell


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
    fit.uns["terms"]["genes_removed"] = ["GENE3 GENE4", ""]
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

"""Figures show the right data with whole labels."""

import colorsys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from figure_texts import nothing_overlaps
from fits import LONG, make_fit
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection

from intae.benchmark.registry import METHODS
from intae.benchmark.tables import stack, write_table
from intae.figures.best_term import best_terms, plot_best_term
from intae.figures.cells import plot_scatter
from intae.figures.cost import plot_cost
from intae.figures.separation import (
    plot_accuracy,
    plot_dense_factors,
    plot_reconstruction,
)
from intae.figures.stability import plot_stability
from intae.figures.style import (
    NO_TERMS,
    _light,
    label_colors,
    looks,
    method_colors,
    readable,
    save_figure,
    write_readably,
)
from intae.figures.terms import plot_top_terms
from intae.figures.truth import plot_false_positives, plot_recovery, plot_recovery_curves
from intae.metrics.separation import dense_table

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "fsclvm": "f-scLVM", "slalom": "slalom", "pca": "PCA"}


def texts(axis):
    return [t.get_text().replace("\n", " ") for t in axis.get_yticklabels()]


def test_names_are_broken_but_never_cut():
    assert readable(LONG).replace("\n", " ") == LONG.replace("_", " ")
    assert max(map(len, readable(LONG).split("\n"))) <= 38


def test_a_method_keeps_its_colour_whatever_is_run():
    assert method_colors(LABELS)["slalom"] == method_colors(list(LABELS))["slalom"]
    assert len(set(method_colors(LABELS).values())) == 4
    assert len(set(label_colors([str(i) for i in range(13)]).values())) == 13


def test_conditions_stand_apart_from_the_other_groups_beside_them():
    values = [str(i) for i in range(10)]
    conditions, types = label_colors(values), label_colors(values, "cell_type")
    assert not set(conditions.values()) & set(types.values())
    assert len(set(types.values())) == 10


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_conditions_have_colours_that_no_main_method_has(n):
    shown = [m for m in METHODS if m not in ("autoencoder_masked", "autoencoder_stochastic")]
    hue = {m: colorsys.rgb_to_hls(*c)[0] for m, c in method_colors(shown).items()}
    for color in label_colors([str(i) for i in range(n)]).values():
        own = colorsys.rgb_to_hls(*color)[0]
        near = [m for m, other in hue.items() if abs((own - other + 0.5) % 1 - 0.5) < 1 / 12]
        assert not near


def test_conditions_run_from_light_to_dark():
    light = [sum(c) for c in label_colors(["healthy", "moderate", "severe"]).values()]
    assert light == sorted(light, reverse=True) and np.diff(light).max() < -0.3


def test_numbers_in_a_heat_map_are_read_on_every_colour():
    _, axis = plt.subplots()
    values = np.linspace(0, 1, 30).reshape(5, 6)
    values[2, 3] = np.nan  # without a number
    sns.heatmap(values, annot=True, cmap="viridis", ax=axis, cbar=False)
    write_readably(axis)
    colors = axis.collections[0].get_facecolors().reshape(5, 6, 4)
    assert len(axis.texts) == 29
    for text in axis.texts:
        x, y = text.get_position()
        light = sorted(map(_light, (mpl.colors.to_rgb(text.get_color()), colors[int(y), int(x)])))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5


@pytest.fixture
def accuracy():
    rows = [
        ("ae", 0, LONG, "train", 0.95), ("ae", 1, LONG, "train", 0.85),
        ("ae", 0, LONG, "held_out", 0.9), ("ae", 1, LONG, "held_out", 0.8),
        ("ae", 0, "OTHER", "train", 0.6), ("ae", 0, "OTHER", "held_out", 0.55),
        ("pca", 0, "dense_1", "train", 0.99), ("pca", 0, "dense_1", "held_out", 0.99),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "seed", "term", "split", "accuracy"])


def test_accuracy_shows_the_mean_over_seeds(accuracy):
    figure = plot_accuracy(accuracy, LABELS)
    left, right = figure.axes
    assert texts(left) == [LONG.replace("_", " "), "OTHER"]  # no PCA component among terms
    np.testing.assert_allclose(left.collections[1].get_offsets()[:, 0], [0.9, 0.6])
    np.testing.assert_allclose(right.collections[1].get_offsets()[:, 0], [0.85, 0.55])


def test_accuracy_shows_the_terms_asked_for(accuracy):
    assert texts(plot_accuracy(accuracy, LABELS, ["OTHER", "ABSENT"]).axes[0]) == ["OTHER"]


SCALE = {"ae": "Autoencoder", "masked": "Masked", "shuffled": "Shuffled", "ulm": "ULM",
         "auc": "AUCell", "pca": "PCA"}  # fmt: skip
ROLES = {"ae": "model", "masked": "ablation"} | dict.fromkeys(
    ["shuffled", "ulm", "auc", "pca"], "control"
)


@pytest.fixture
def with_controls():
    rows = [
        ("ae", 0, "A", 0.8), ("ae", 0, "B", 0.6), ("masked", 0, "A", 0.97), ("ulm", 0, "A", 0.9),
        ("ulm", 0, "B", 0.55), ("auc", 0, "A", 0.85), ("auc", 0, "B", 0.5),
        ("shuffled", 0, "A", 0.5), ("shuffled", 1, "A", 0.7), ("shuffled", 0, "B", 0.5),
        ("shuffled", 1, "B", 0.5), ("shuffled", 0, "C", 0.94), ("shuffled", 1, "D", 0.96),
        ("pca", 0, "dense_1", 0.6), ("pca", 0, "dense_2", 0.99),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "seed", "term", "accuracy"])
    held_out = table.assign(accuracy=table["accuracy"] - 0.1, split="held_out")
    return pd.concat([table.assign(split="train"), held_out])


def marks(axis):
    """Mean accuracy of each mark in a panel, in the order of drawing."""
    scatters = [c for c in axis.collections if hasattr(c, "get_offsets") and len(c.get_offsets())]
    scatters = [c for c in scatters if not hasattr(c, "get_segments")]
    return [np.asarray(c.get_offsets()[:, 0]).tolist() for c in scatters]


def lines(axis):
    """Where lines run through all rows."""
    return [line.get_xdata()[0] for line in axis.lines if len(set(line.get_xdata())) == 1]


def test_accuracy_shows_controls_as_a_scale_and_no_ablation(with_controls):
    figure = plot_accuracy(with_controls, SCALE, guess=0.5, roles=ROLES, permuted=["shuffled"])
    left, right = figure.axes
    assert texts(left) == ["A", "B"]  # the terms of the model, not the best of shuffled sets
    # the model, both scores, and the shuffled sets' terms of these names: mean over shuffles
    np.testing.assert_allclose(marks(left), [[0.8, 0.6], [0.9, 0.55], [0.85, 0.5], [0.6, 0.5]])
    np.testing.assert_allclose(marks(right)[0], [0.7, 0.5])
    # the best of all shuffled terms (mean over shuffles), the best component, guessing
    np.testing.assert_allclose(lines(left), [0.95, 0.99, 0.5])
    np.testing.assert_allclose(lines(right), [0.85, 0.89, 0.5])
    (band,) = left.patches  # over the two shuffles; PCA has one fit
    np.testing.assert_allclose([band.get_x(), band.get_x() + band.get_width()], [0.94, 0.96])
    models, scale = ([t.get_text() for t in legend.get_texts()] for legend in figure.legends)
    assert models == ["Autoencoder"]
    assert scale == [
        "ULM: a plain score of the term's genes", "AUCell: a plain score of the term's genes",
        "Shuffled: the term of that name", "Shuffled: the best of all its terms",
        "PCA: the best of all its components", "guessing the larger condition",
    ]  # fmt: skip


def test_accuracy_leaves_out_what_was_not_scored_in_a_column(with_controls):
    unseen = with_controls[with_controls["method"].isin(["ae", "pca"])]
    unseen = unseen[unseen["split"] == "train"].assign(split="unseen")
    table = pd.concat([with_controls, unseen])
    figure = plot_accuracy(table, SCALE, guess=0.5, roles=ROLES, permuted=["shuffled"])
    assert len(figure.axes) == 3
    last = figure.axes[2]
    np.testing.assert_allclose(lines(last), [0.99, 0.5])  # no best of shuffled terms
    drawn = [x for mark in marks(last) for x in mark if np.isfinite(x) and x is not np.ma.masked]
    np.testing.assert_allclose(drawn, [0.8, 0.6])


@pytest.mark.parametrize("method", ["pca", "ulm", "shuffled"])
def test_accuracy_of_controls_alone(with_controls, method):
    alone = with_controls[with_controls["method"] == method]
    axis = plot_accuracy(alone, SCALE, ["A"], roles=ROLES, permuted=["shuffled"]).axes[0]
    assert texts(axis) == ([] if method == "pca" else ["A"])


def test_a_score_keeps_its_mark(with_controls):
    def handles(table):
        permuted = set(table["method"]) & {"shuffled"}  # of this data set
        scale = plot_accuracy(table, SCALE, roles=ROLES, permuted=list(permuted)).legends[1]
        return {h.get_label(): h.get_marker() for h in scale.legend_handles}

    whole = handles(with_controls)
    part = handles(with_controls[with_controls["method"].isin(["ae", "auc"])])
    key = "AUCell: a plain score of the term's genes"
    assert part[key] == whole[key] != whole["ULM: a plain score of the term's genes"]


def test_cost_marks_what_is_projected():
    rows = [("d", "ae", 0, 10.0, 100.0, False), ("d", "ae", 1, 30.0, 100.0, False),
            ("d", "slalom", 0, 7200.0, 300.0, True)]  # fmt: skip
    columns = ["dataset", "method", "seed", "seconds", "peak_mb", "projected"]
    table = pd.DataFrame(rows, columns=columns).assign(n_cells=10, n_genes=5)
    time, memory = plot_cost(table, LABELS).axes
    assert texts(time) == ["Autoencoder", "slalom"]
    np.testing.assert_allclose([bar.get_width() for bar in time.patches], [20, 7200])
    notes = [t.get_text() for t in time.texts]
    assert notes == ["20.0 s", "2.0 h (projected)"]
    assert time.patches[1].get_hatch() and not time.patches[0].get_hatch()
    np.testing.assert_allclose([bar.get_width() for bar in memory.patches], [100, 300])


def test_cost_has_the_same_axes_for_all_data_sets():
    rows = [("d", "ae", 4.0, 100.0), ("d", "slalom", 15_000.0, 900.0), ("e", "ae", 6.4, 50.0)]
    table = pd.DataFrame(rows, columns=["dataset", "method", "seconds", "peak_mb"])
    table = table.assign(n_cells=10, n_genes=5, seed=0, projected=False)
    first, memory, second, other = plot_cost(table, LABELS).axes
    assert first.get_xlim() == second.get_xlim() and memory.get_xlim() == other.get_xlim()
    ticks = [t.get_text() for t in first.get_xticklabels()]
    assert ticks == [t.get_text() for t in second.get_xticklabels()] and len(ticks) > 2
    apart = np.diff(np.log(first.get_xticks())) / np.log(np.divide(*first.get_xlim()[::-1]))
    assert apart.min() > 0.1  # so that their labels do not touch


def test_top_terms_are_sorted_and_leave_out_what_is_off():
    table = pd.DataFrame(
        {"method": "ae", "seed": 0, "term": ["a", LONG, "off"], "kind": "annotated",
         "relevance": [1.0, 5.0, 0.5], "rank": [2, 1, 3], "active": [True, True, False]}
    )  # fmt: skip
    axis = plot_top_terms(table, LABELS, {"ae": "Autoencoder"}).axes[0]
    assert texts(axis) == [LONG.replace("_", " "), "a"]
    assert [bar.get_width() for bar in axis.patches] == [5, 1]
    figure = plot_top_terms(table.assign(active=False), LABELS, {"ae": "Autoencoder"})
    assert "every term of Autoencoder is off" in figure.texts[0].get_text()


def test_scatter_shows_each_cell_and_says_what_is_off(tmp_path):
    rng = np.random.default_rng(0)
    fit = make_fit(rng.normal(size=(30, 2)), np.ones((3, 2)), [1, 2])
    off = make_fit(rng.normal(size=(30, 2)), np.ones((3, 2)), [1, 2], active=[True, False])
    fit.obs["condition"] = off.obs["condition"] = ["ctrl", "stim"] * 15
    terms = tuple(fit.terms.index)
    figure = plot_scatter({"ae": fit, "fsclvm": off}, terms, LABELS)
    axis, off_axis = figure.axes
    shown = axis.collections[0].get_offsets()
    np.testing.assert_allclose(sorted(shown[:, 0]), sorted(fit.loadings.iloc[:, 0]))
    assert off_axis.get_ylabel() == "SIMULATED PATHWAY 2 is off" and not len(off_axis.get_yticks())
    save_figure(figure, [tmp_path / "x.png", tmp_path / "x.pdf"])
    assert {path.name for path in tmp_path.iterdir()} == {"x.png", "x.pdf"}


def test_stability_names_what_was_changed():
    scores = ["(median |r|)", "(mean |r|)", "(Jaccard index of active terms)",
              "(shared of the 10 most relevant)"]  # fmt: skip
    table = pd.DataFrame(
        [("ae", "seeds", s, v) for s, v in zip(scores, [0.4, 0.5, 0.7, 6], strict=True)]
        + [("pca", "donors", s, v) for s, v in zip(scores, [0.9, 0.8, 1, 9], strict=True)]
        + [
            ("ae", "seeds", "A_TERM", 0.1),
            ("ae", "seeds", "(number of pairs)", 1),
            ("pca", "donors", "(number of pairs)", 5),
        ],
        columns=["method", "kind", "term", "r"],
    )
    table = table.assign(r_min=table["r"], r_max=table["r"])
    spread = (table["method"] == "pca") & (table["term"] == "(median |r|)")
    table.loc[spread, ["r_min", "r_max"]] = [0.7, 0.95]
    seeds, donors = np.reshape(plot_stability(table, LABELS).axes, (2, 3))
    assert seeds[0].get_title(loc="left") == "another seed, the same cells"
    assert donors[0].get_title(loc="left").startswith("other donors")
    assert texts(seeds[0]) == ["Autoencoder (1 pair)"] and texts(donors[0]) == ["PCA (5 pairs)"]
    assert "0.40" in [t.get_text() for t in seeds[0].texts]
    assert [t.get_text() for t in donors[0].texts] == ["0.90"]
    assert [t.get_text() for t in donors[2].texts] == ["9 of 10"]
    (segment,) = donors[0].collections[0].get_segments()  # one pair has no spread
    np.testing.assert_allclose(segment, [[0.7, 0], [0.95, 0]])
    assert not seeds[0].collections and not donors[2].collections
    axes = plot_stability(table, LABELS, roles={"pca": "ablation"}, permuted=["ae"]).axes
    assert texts(axes[0]) == ["Autoencoder, another shuffle (1 pair)"] and len(axes) == 3


def test_a_method_with_few_terms_can_share_no_more_than_these():
    scores = {"(median |r|)": 1, "(Jaccard index of active terms)": 1, "(number of pairs)": 1,
              "(shared of the 10 most relevant)": 8}  # fmt: skip
    table = pd.DataFrame(
        [("ae", "seeds", s, v, v, v) for s, v in scores.items()],
        columns=["method", "kind", "term", "r", "r_min", "r_max"],
    )
    terms = pd.DataFrame({"method": "ae", "seed": 0, "kind": "annotated", "term": list("abcdefghi"),
                          "active": [True] * 8 + [False]})  # fmt: skip
    shared = plot_stability(table, LABELS, terms=terms).axes[2]
    assert shared.patches[0].get_width() == 1 and shared.texts[-1].get_text() == "8 of 8"


def test_a_third_column_for_cells_that_the_fit_never_saw(accuracy):
    assert len(plot_accuracy(accuracy, LABELS).axes) == 2
    unseen = accuracy[accuracy["split"] == "held_out"].assign(split="unseen", accuracy=0.7)
    axes = plot_accuracy(pd.concat([accuracy, unseen]), LABELS).axes
    assert len(axes) == 3
    assert axes[2].get_title(loc="left") == "on cells that the fit never saw"
    np.testing.assert_allclose(axes[2].collections[1].get_offsets()[:, 0], [0.7, 0.7])


def test_cost_draws_the_spread_over_seeds():
    rows = [("d", "ae", 0, 10.0, 100.0, False), ("d", "ae", 1, 30.0, 100.0, False),
            ("d", "pca", 0, 1.0, 50.0, False)]  # fmt: skip
    columns = ["dataset", "method", "seed", "seconds", "peak_mb", "projected"]
    table = pd.DataFrame(rows, columns=columns).assign(n_cells=10, n_genes=5)
    time, memory = plot_cost(table, LABELS).axes
    (line,) = time.collections  # of the one method with seeds that differ
    np.testing.assert_allclose(line.get_segments()[0][:, 0], [10, 30])
    assert not memory.collections  # no spread, no line


def test_top_terms_say_how_many_seeds_find_them():
    rows = [
        ("ae", 0, "stable", 5.0, 1, True), ("ae", 1, "stable", 3.0, 1, True),
        ("ae", 0, LONG, 4.0, 2, True), ("ae", 1, LONG, 0.0, 3, False),
        ("ae", 0, "weak", 0.0, 3, False), ("ae", 1, "weak", 1.0, 2, True),
    ]  # fmt: skip
    columns = ["method", "seed", "term", "relevance", "rank", "active"]
    table = pd.DataFrame(rows, columns=columns).assign(kind="annotated")
    axis = plot_top_terms(table, LABELS, {"ae": "Autoencoder"}, n_terms=2).axes[0]
    assert texts(axis) == ["stable", LONG.replace("_", " ")]
    np.testing.assert_allclose([bar.get_width() for bar in axis.patches], [4, 2])
    segments = axis.collections[0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], [[3, 5], [0, 4]])
    assert [t.get_text() for t in axis.texts] == ["2 of 2", "1 of 2"]


def test_other_models_are_a_map_of_ranks_of_the_recommended_methods_terms():
    rows = [
        ("ae", 0, "a", 5.0, 1, True, "a"), ("ae", 0, "b", 3.0, 2, True, "a"),
        ("ae", 0, "c", 1.0, 3, True, "c"), ("ae", 0, "dense_1", 9.0, 4, True, None),
        ("fsclvm", 0, "a", 1.0, 7, True, None), ("fsclvm", 0, "b", 2.0, 4, True, None),
        ("fsclvm", 0, "c", 0.0, 9, False, None),
        ("slalom", 0, "c", 1.0, 2, True, None), ("slalom", 1, "c", 0.0, 9, False, None),
        ("slalom", 0, "a", 0.0, 8, False, None), ("slalom", 1, "a", 0.0, 8, False, None),
    ]  # fmt: skip
    columns = ["method", "seed", "term", "relevance", "rank", "active", "family"]
    table = pd.DataFrame(rows, columns=columns).assign(kind="annotated")
    table.loc[table["term"] == "dense_1", "kind"] = "dense"
    models = dict.fromkeys(LABELS, "Autoencoder")
    figure = plot_top_terms(table, LABELS, models, recommended="ae")
    left, right = figure.axes
    assert texts(left) == ["dense 1", "a or b", "c"]
    found = {tuple(t.get_position()[::-1]): t.get_text() for t in right.texts}
    assert found == {
        (0, 0): "–", (0, 1): "–", (1, 0): "4", (1, 1): "off", (2, 0): "off", (2, 1): "2\n(1 of 2)"
    }  # fmt: skip
    shades = right.images[0].get_array()[..., 0]
    assert shades[2, 1] < shades[1, 0] < shades[2, 0] == shades[0, 0]
    assert nothing_overlaps(figure)
    other = plot_top_terms(table, LABELS, models, recommended="slalom").axes[0]
    assert other.get_title(loc="left") == "slalom" and texts(other) == ["c"]


def test_dense_factors_frame_the_best_term_of_each_fit():
    rows = [
        ("fsclvm", 222, "A", 0.9), ("fsclvm", 222, LONG, 0.6),
        ("fsclvm", 1, "A", 0.6), ("fsclvm", 1, LONG, 0.95),
        ("slalom", 222, "A", 0.7), ("slalom", 222, LONG, 0.55), ("slalom", 222, "dense_1", 0.99),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "seed", "term", "accuracy"])
    table = table.assign(split="train", dataset="d")
    best = dense_table(table, ["fsclvm", "slalom"])
    assert list(best["n_dense"]) == [0, 0, 1]
    assert list(best["term"]) == ["A", LONG, "A"]
    assert best["unannotated"].iloc[2] == "dense_1" and best["unannotated"].isna().sum() == 2
    figure = plot_dense_factors(best, table, LABELS, guess=0.52)
    one, two = figure.axes[:2]
    assert texts(one) == [LONG.replace("_", " "), "A", "best unannotated factor"]
    assert [t.get_text() for t in one.get_xticklabels()] == ["222", "1"]
    assert [t.get_text() for t in one.texts] == ["0.60", "0.95", "0.90", "0.60"]
    assert [t.get_text() for t in two.texts] == ["0.55", "0.70", "0.99"]
    frames = [(round(p.get_x()), round(p.get_y())) for axis in (one, two) for p in axis.patches]
    assert frames == [(0, 1), (1, 0), (0, 1)]
    assert one.get_title() == "f-scLVM"


@pytest.fixture
def auroc():
    rows = [
        ("ae", seed, term, split, value + 0.02 * seed)
        for seed in (0, 1)
        for term, split, value in (
            (LONG, "train", 0.9), (LONG, "held_out", 0.85), (LONG, "unseen", 0.7),
            (LONG, "unseen_family", 0.8), ("OTHER", "train", 0.8), ("OTHER", "unseen", 0.99),
        )
    ] + [("pca", 0, "dense_2", "train", 0.97), ("slalom", 0, "OTHER", "train", 0.6),
         ("slalom", 0, "OTHER", "held_out", 0.5),
         ("slalom", 0, "dense_1", "train", 0.99)]  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "seed", "term", "split", "auroc"])


def test_the_best_term_is_chosen_on_all_cells_and_scored_on_unseen_ones(auroc):
    best = best_terms(auroc, list(LABELS)).set_index("method")
    assert list(best["term"]) == [LONG, "OTHER", "dense_2"]
    row = best.loc["ae", ["all", "all_min", "unseen", "unseen_min", "unseen_max"]]
    np.testing.assert_allclose(row.astype(float), [0.91, 0.9, 0.81, 0.8, 0.82])  # by family
    assert best["unseen"].isna().tolist() == [False, True, True]
    # a plain score looks at one cell at a time: held out is unseen
    score = best_terms(auroc, list(LABELS), ["slalom"]).set_index("method").loc["slalom"]
    assert score["unseen"] == 0.5


def test_two_marks_a_method_from_chance_the_recommended_one_first(auroc):
    roles = {"ae": "model", "fsclvm": "model", "slalom": "model", "pca": "control"}
    figure = plot_best_term(
        auroc, LABELS, roles, {"ae": {LONG: ["B"]}}, recommended="slalom", scores=[]
    )
    (axis,) = figure.axes
    assert texts(axis) == [
        "slalom OTHER", f"Autoencoder {LONG.replace('_', ' ')} or B", "PCA component 2"
    ]  # fmt: skip
    assert [t.get_fontweight() for t in axis.get_yticklabels()] == ["bold", "normal", "normal"]
    dots = [c.get_offsets()[0] for c in axis.collections if isinstance(c, PathCollection)]
    np.testing.assert_allclose(dots, [[0.6, 0], [0.81, 1], [0.91, 1], [0.97, 2]])
    assert axis.get_xlim()[0] == 0.5
    notes = [t.get_text() for t in axis.texts]
    assert notes[0] == "0.60, not tested on unseen cells" and notes[1] == "0.81 unseen, 0.91 on all"
    assert nothing_overlaps(figure)


def test_marks_of_pale_colours_have_a_darker_edge():
    table = pd.DataFrame({"method": ["autoencoder", "autoencoder_permuted"], "seed": 0,
                          "term": "A", "split": "train", "auroc": 0.9})  # fmt: skip
    labels = {"autoencoder": "Autoencoder", "autoencoder_permuted": "shuffled"}
    axis = plot_best_term(table, labels, {}).axes[0]
    scatters = [c for c in axis.collections if isinstance(c, PathCollection)]
    dark, pale = (c.get_edgecolor()[0, :3] for c in scatters)
    colors = method_colors(labels)
    np.testing.assert_allclose(dark, colors["autoencoder"])
    assert np.all(pale < 0.8 * np.array(colors["autoencoder_permuted"]))


@pytest.mark.parametrize(
    "alike",
    [
        ["autoencoder_exact", "autoencoder_dense3", "autoencoder_dropping"],
        ["autoencoder", "autoencoder_proximal"],
        ["fsclvm", "fsclvm_dense3", "fsclvm_annotation"],
        ["slalom", "slalom_dense3"],
        ["score_genes", "ulm", "aucell", "plain_mean", "pca"],
    ],
)
def test_methods_that_share_a_hue_differ_in_mark(alike):
    found = looks(METHODS)
    assert len({found[method][0] for method in alike}) == len(alike)


def test_reconstruction_shows_each_fold_and_the_terms_on():
    rows = [("ae", 1, "train", 0.5, 20), ("ae", 1, "unseen", 0.4, 20), ("ae", 2, "train", 0.6, 22),
            ("ae", 2, "unseen", -0.1, 22), ("pca", 1, "train", 0.8, 30)]  # fmt: skip
    columns = ["method", "fold", "split", "variance_explained", "n_terms_active"]
    axis = plot_reconstruction(pd.DataFrame(rows, columns=columns), LABELS, ["pca"]).axes[0]
    assert texts(axis) == ["Autoencoder", "PCA"]
    scatters = [c for c in axis.collections if isinstance(c, PathCollection)]
    dots = [c.get_offsets()[:, 0] for c in scatters]
    np.testing.assert_allclose(dots[0], [0.5, 0.6])
    np.testing.assert_allclose(dots[1], [-0.1, 0.4])
    for seen, heights in zip(scatters, ([-0.24, -0.12], [0.12, 0.24]), strict=False):
        np.testing.assert_allclose(seen.get_offsets()[:, 1], heights)  # none hides another
    assert np.all(scatters[0].get_facecolor() == 1)  # white, also where they overlap
    assert axis.get_xlim()[0] <= -0.1
    assert [t.get_text() for t in axis.texts] == ["20 to 22", "30\ncomponents", "terms on"]


EMPTY_FIGURES = {
    "accuracy": plot_accuracy,
    "recovery": plot_recovery,
    "recovery_curves": plot_recovery_curves,
    "false_positives": plot_false_positives,
}


@pytest.mark.parametrize("name", EMPTY_FIGURES)
def test_figures_of_no_finished_fit_say_so(name, tmp_path):
    """As read from the table that a run writes whose only fit was stopped by its budget."""
    write_table(stack([], name), tmp_path / "table.csv")
    figure = EMPTY_FIGURES[name](pd.read_csv(tmp_path / "table.csv"), LABELS)
    assert [t.get_text() for t in figure.texts] == [f"Nothing to draw: {NO_TERMS}."]

"""Figures of planted truth show the right numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from intae.figures.style import method_colors
from intae.figures.truth import (
    GRID,
    apart,
    plot_false_positives,
    plot_recovery,
    plot_recovery_curves,
    precision_at,
)

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"autoencoder": "Autoencoder", "slalom": "slalom", "score_genes": "plain score"}


def recovery_table():
    rows = [
        ("d_1", "autoencoder", "one thing", 0.4), ("d_2", "autoencoder", "one thing", 0.6),
        ("d_1", "slalom", "one thing", 0.25), ("d_2", "slalom", "one thing", 0.25),
        ("d_1", "autoencoder", "another", np.nan), ("d_1", "slalom", "another", 1.0),
        ("d_1", "autoencoder", "nobody's", np.nan), ("d_1", "slalom", "nobody's", np.nan),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["dataset", "method", "metric", "value"])


def test_recovery_says_none_where_nothing_is_to_score():
    first, second = plot_recovery(recovery_table(), LABELS).axes  # nobody's score is left out
    assert [t.get_text() for t in first.get_yticklabels()] == ["Autoencoder", "slalom"]
    assert [t.get_text() for t in first.texts] == ["0.50", "0.25"]
    assert [t.get_text() for t in second.texts] == ["none", "1.00"]


def test_recovery_shows_the_spread_over_draws():
    axis = plot_recovery(recovery_table(), LABELS).axes[0]
    np.testing.assert_allclose([bar.get_width() for bar in axis.patches], [0.5, 0.25])
    lines = [path[:, 0] for path in axis.collections[0].get_segments()]
    np.testing.assert_allclose(lines, [[0.4, 0.6], [0.25, 0.25]])


def test_scores_go_into_a_second_row_and_keep_their_names():
    names = [f"score of kind {i}" for i in range(7)]
    table = pd.DataFrame({"dataset": "d", "method": "slalom", "metric": names, "value": 0.5})
    axes = plot_recovery(table, LABELS).axes
    assert [axis.get_title().replace("\n", " ") for axis in axes] == names


def curves_table():
    """Two draws of one method: four sought, of which three, then two are found."""
    rows = [
        ("d_1", "terms", 1, 0.25, 1.0), ("d_1", "terms", 2, 0.5, 1.0),
        ("d_1", "terms", 6, 0.75, 0.5),
        ("d_2", "terms", 2, 0.25, 0.5), ("d_2", "terms", 5, 0.5, 0.4),
        ("d_1", "added genes", 4, 1.0, 0.25),
    ]  # fmt: skip
    columns = ["dataset", "what", "n_ranked", "recall", "precision"]
    return pd.DataFrame(rows, columns=columns).assign(method="autoencoder", seed=0, chance=0.2)


def test_precision_is_that_at_which_the_share_is_found():
    terms = curves_table().query("what == 'terms'")
    precision = precision_at(terms, 2)
    assert precision.shape == (2, (GRID <= 0.5).sum())  # as far as both reach
    first = GRID[GRID <= 0.5] <= 0.25
    np.testing.assert_allclose(precision[0], 1)
    np.testing.assert_allclose(precision[1], np.where(first, 0.5, 0.4))
    assert precision_at(terms, 3).size == 0  # a third fit found nothing


def test_curves_are_the_mean_over_draws_with_their_spread():
    left, middle, right = plot_recovery_curves(curves_table(), LABELS).axes
    line, chance = left.lines
    np.testing.assert_allclose(line.get_xdata()[[0, -1]], [GRID[0], 0.5])
    np.testing.assert_allclose(line.get_ydata()[[0, -1]], [0.75, 0.7])
    assert tuple(line.get_color()) == method_colors(LABELS)["autoencoder"]
    np.testing.assert_allclose(chance.get_ydata(), 0.2)
    band = left.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([band.min(), band.max()], [0.4, 1.0])
    assert [line.get_ydata()[0] for line in middle.lines] == [0.2]  # one of two draws has a curve
    assert not right.lines
    np.testing.assert_allclose(left.collections[1].get_offsets(), [[0.5, 0.7]])  # the end
    assert len(left.collections) == 2 and not middle.collections and not right.collections


def test_ends_of_curves_that_coincide_are_drawn_apart():
    same = curves_table()[lambda t: t["dataset"] == "d_1"].assign(precision=1.0)
    table = pd.concat([same.assign(method=m) for m in ("autoencoder", "slalom")])
    left = plot_recovery_curves(table, LABELS).axes[0]
    dots = [c for c in left.collections if isinstance(c, PathCollection)]
    ends = np.concatenate([dot.get_offsets() for dot in dots])
    np.testing.assert_allclose(ends[:, 0], 0.75)
    assert ends[0, 1] == pytest.approx(1) and 0.95 < ends[1, 1] < 0.98
    assert apart([(0.1, 1.0), (0.5, 1.0), (0.5, 0.2)]) == [(0.1, 1.0), (0.5, 1.0), (0.5, 0.2)]
    three = apart([(0.5, 0.5), (0.51, 0.5), (0.52, 0.5)])
    np.testing.assert_allclose([y for _, y in three], [0.535, 0.5, 0.465])


def test_false_positives_are_stacked_by_kind():
    kinds = ["true", "false, overlaps a true one", "false, overlaps none"]
    numbers = {
        ("d_1", "autoencoder"): [3, 1, 0], ("d_2", "autoencoder"): [4, 2, 1],
        ("d_1", "score_genes"): [5, 9, 6], ("d_2", "score_genes"): [5, 9, 6],
    }  # fmt: skip
    rows = [
        (dataset, method, 0, rule, kind, n, of)
        for (dataset, method), counts in numbers.items()
        for rule in ("switched on", "top ranked", "differs between conditions")
        for kind, n, of in zip(kinds, counts, (5, 9, 6), strict=True)
    ]
    columns = ["dataset", "method", "seed", "rule", "outcome", "n", "of"]
    figure = plot_false_positives(pd.DataFrame(rows, columns=columns), LABELS)
    left, middle, _ = figure.axes
    names = [t.get_text().split("\n")[0] for t in left.get_yticklabels()]
    assert names == ["Autoencoder", "plain score", "all terms"]
    widths = np.reshape([bar.get_width() for bar in left.patches], (3, 3)).T  # methods x kinds
    np.testing.assert_allclose(widths, [[3.5, 1.5, 0.5], [5, 9, 6], [5, 9, 6]])
    starts = np.reshape([bar.get_x() for bar in left.patches], (3, 3)).T
    np.testing.assert_allclose(starts[0], [0, 3.5, 5])
    notes = [t.get_text() for t in left.texts]
    assert notes == ["3.5 true (3 to 4), 2 false (1 to 3)", "5 true, 15 false"]
    random = [bar.get_width() for bar in middle.patches][2::3]
    np.testing.assert_allclose(random, np.array([5, 9, 6]) * 5 / 20)
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend[1] == "false, shares genes with a truly active set"

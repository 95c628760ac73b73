"""The figure of an implanted truth shows the right numbers."""

import numpy as np
import pandas as pd
import pytest

from intae.figures.implanted import draw_means, plot_implanted

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "plain_mean": "plain mean"}


def table_of(*rows):
    columns = ["dataset", "method", "term", "metric", "value"]
    return pd.DataFrame(rows, columns=columns).assign(seed=0)


TABLE = table_of(
    ("d_1", "ae", "A", "top1", 1.0), ("d_1", "ae", "B", "top1", 0.0),
    ("d_2", "ae", "A", "top1", 1.0), ("d_2", "ae", "GONE", "kept", 0.0),
    ("d_1", "ae", "A", "r", 0.2), ("d_2", "ae", "A", "r", 0.4),
    ("d_1", "plain_mean", "A", "r", 0.5), ("d_1", "(oracle)", "A", "r", 0.6),
    ("d_2", "(oracle)", "A", "r", 0.7),
)  # fmt: skip


def test_draws_are_means_over_sets():
    means = draw_means(TABLE).set_index(["method", "metric", "dataset"])["value"]
    assert means["ae", "top1", "d_1"] == 0.5 and means["ae", "top1", "d_2"] == 1


def test_dots_lines_and_numbers():
    figure = plot_implanted(TABLE, LABELS)
    left, right = figure.axes  # nothing follows in this table, so there is no such panel
    assert [t.get_text() for t in left.get_yticklabels()] == ["Autoencoder", "plain mean"]
    assert [t.get_text() for t in left.texts] == ["0.75"]
    assert [t.get_text() for t in right.texts] == ["0.30", "0.50"]
    line, dots, mean = left.collections[:3]
    np.testing.assert_allclose(line.get_segments()[0][:, 0], [0.5, 1])
    np.testing.assert_allclose(dots.get_offsets()[:, 0], [0.5, 1])
    np.testing.assert_allclose(mean.get_offsets()[:, 0], [0.75])
    oracle = [line.get_xdata()[0] for line in right.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(oracle, [0.65])
    assert "oracle" in figure.legends[0].get_texts()[0].get_text()


def test_of_a_null_what_follows_is_shown():
    rows = [("d_1", "ae", "depth", "followed", 3.0), ("d_1", "ae", "depth", "switched on", 20.0)]
    titles = [axis.get_title(loc="left") for axis in plot_implanted(table_of(*rows), LABELS).axes]
    assert len(titles) == 2 and "unrelated" in titles[0] and "switched on" in titles[1]
    empty = plot_implanted(TABLE.iloc[:0], LABELS)
    assert "Nothing to draw" in empty.texts[0].get_text()

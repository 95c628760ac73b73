"""The figure of an implanted truth shows the right numbers."""

import numpy as np
import pandas as pd
import pytest

from intae.figures.draws import Panel, draw_means, plot_draws
from intae.figures.implanted import RATE, plot_implanted, plot_implanted_null

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


def test_the_rate_of_false_calls_has_its_ends():
    calls = pd.DataFrame(
        {"dataset": "d", "method": ["ae", "plain_mean"], "false_discovery_rate": [0.2, np.nan],
         "fdr_min": [0.1, np.nan], "fdr_max": [0.6, np.nan]}
    )  # fmt: skip
    axis = plot_implanted(TABLE, LABELS, calls).axes[-1]
    assert RATE in axis.get_title(loc="left").replace("\n", " ")
    assert [t.get_text() for t in axis.texts] == ["0.20"]  # not the middle of its ends
    np.testing.assert_allclose(axis.collections[0].get_segments()[0][:, 0], [0.1, 0.6])
    assert len(plot_implanted(TABLE, LABELS, calls.iloc[:0]).axes) == 2


@pytest.mark.parametrize(
    ("kind", "titles"),
    [("depth", ["terms that follow depth", "of these"]),
     ("sets", ["method calls", "random labels"]), ("labels", ["method calls", "random labels"])],
)  # fmt: skip
def test_of_a_null_what_is_false_is_shown(kind, titles):
    numbers = {"followed": 3.0, "called": 20.0, "called followed": 2.0, "unrelated": 140.0}
    rows = [("d_1", "ae", "x", metric, value) for metric, value in numbers.items()]
    axes = plot_implanted_null(table_of(*rows), LABELS, kind).axes
    assert all(t in a.get_title(loc="left") for t, a in zip(titles, axes, strict=True))
    shown = {"depth": ["3", "2"]}.get(kind, ["20", "3"])
    assert [t.get_text() for a in axes for t in a.texts] == shown
    assert all(a.lines[0].get_xdata()[0] == 140 for a in axes)


def test_of_no_rows_nothing_is_drawn():
    empties = [plot_implanted(TABLE.iloc[:0], LABELS)]
    empties.append(plot_implanted_null(TABLE.iloc[:0], LABELS, "depth"))
    assert all("Nothing to draw" in empty.texts[0].get_text() for empty in empties)


def test_many_panels_stand_in_two_rows():
    panels = [Panel(f"m{k}", f"title {k}") for k in range(5)]
    draws = pd.DataFrame({"method": "ae", "dataset": "d_1", "value": 1.0,
                          "metric": [panel.metric for panel in panels]})  # fmt: skip
    axes = plot_draws(draws, ["ae"], LABELS, panels).axes
    assert [axis.get_title(loc="left") for axis in axes] == [panel.title for panel in panels]
    tops = {round(axis.get_subplotspec().get_position(axis.figure).y1, 3) for axis in axes}
    assert len(tops) == 2
    assert axes[3].get_yticklabels()[0].get_text() == "Autoencoder"

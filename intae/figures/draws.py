"""Panels with one row per method and one dot per draw of data whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import method_colors, method_label, separate_rows, set_style, write

NOTE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over a panel's lines
BESIDE = 4  # panels; where there are more, they stand in two rows


class Panel(NamedTuple):
    """A panel: its metric, its title, the end of its axis (None: of counts, as far as they go)."""

    metric: str
    title: str
    end: float | None = None


class Line(NamedTuple):
    """A vertical line for scale: of which panel, where, in which style, and what it says."""

    metric: str
    value: float
    style: str
    words: str


def draw_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over sets and seeds of each draw: method, metric, dataset, value."""
    means = table.dropna(subset="value").groupby(["method", "metric", "dataset"], sort=False)
    return means["value"].mean().reset_index()


def plot_draws(
    draws: pd.DataFrame, methods: Sequence[str], labels: Mapping[str, str],
    panels: Sequence[Panel], lines: Sequence[Line] = (),
) -> Figure:  # fmt: skip
    """Draw dots, one per draw, and their mean: one row per method, one panel per metric.

    Parameters
    ----------
    draws
        method, metric, dataset (the draw), value; small dots. Large dots and numbers are the means
        of a method's values, or its `mean`, where there is such a column; lines go from the least
        to the largest.
    methods
        The rows, from above.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    panels
        From left to right, in two rows where there are more than four.
    lines
        Vertical lines. Each of the same words has the same style, and stands once in the legend.
    """
    set_style()
    draws = draws if "mean" in draws else draws.assign(mean=np.nan)
    colors = method_colors(labels)
    n_rows = 1 if len(panels) <= BESIDE else 2
    n_columns = -(-len(panels) // n_rows)
    figure, axes = plt.subplots(
        n_rows, n_columns, sharey=True, squeeze=False, layout="constrained",
        figsize=(2.7 * n_columns + 2.2, (0.42 * len(methods) + 1.1) * n_rows + 0.8),
    )  # fmt: skip
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (metric, title, end) in zip(axes.flat, panels, strict=False):
        part = draws[draws["metric"] == metric]
        for y, method in enumerate(methods):
            own = part[part["method"] == method]
            values, told = own["value"].to_numpy(), own["mean"].dropna()
            if not len(values):
                continue
            number, color = told.iloc[0] if len(told) else values.mean(), colors[method]
            axis.hlines(y, values.min(), values.max(), color=color, lw=1.6)
            axis.scatter(values, np.full(len(values), y), s=12, color=color, alpha=0.6, lw=0)
            axis.scatter(number, y, s=46, color=color, edgecolor="white", lw=0.8, zorder=3)
            note = f"{number:.2f}" if end else f"{number:.1f}".removesuffix(".0")
            write(axis, values.max(), y, note, pad=6, bbox=NOTE)
        here = [line for line in lines if line.metric == metric]
        for line in here:
            axis.axvline(line.value, color="0.3", ls=line.style, lw=1.1, zorder=0)
        axis.set_title(title, loc="left", fontsize=10)
        largest = end or max(1.0, float(part["value"].max()), *(line.value for line in here))
        axis.set_xlim(-0.03 * largest, 1.2 * largest)  # room for the numbers
        axis.set_xticks([tick for tick in axis.get_xticks() if 0 <= tick <= largest])
        separate_rows(axis, len(methods))
    for axis in axes[:, 0]:
        axis.set_yticks(range(len(methods)), [method_label(m, labels) for m in methods])
    styles = {line.words: line.style for line in lines}
    if styles:
        handles = [Line2D([], [], color="0.3", ls=s, lw=1.1, label=w) for w, s in styles.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    sns.despine(figure)
    return figure

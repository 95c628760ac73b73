"""What the methods read of a truth implanted in real counts, over several draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..metrics.implanted import ORACLE, PLAIN_MEAN
from .style import (
    NO_TERMS,
    method_colors,
    method_label,
    methods_in,
    separate_rows,
    set_style,
    without_data,
    write,
)

NOTE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over the oracle's line
# the table's word -> title, ends of the axis (None: from 0 to what there is)
PANELS = {
    "top1": ("share of sets whose own term\nfollows the activity best", 1.0),
    "r": ("correlation of that term\nwith the activity, |r|", 1.0),
    "followed": ("unrelated terms that follow,\nper set", None),
    "siblings": ("related terms that follow as well,\nper set", None),
    "switched on": ("terms switched on", None),
}


def plot_implanted(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw how far methods read an implanted truth: one row per method, one panel per score.

    Parameters
    ----------
    table
        The table implanted.csv of the draws of one entry. Small dots are draws (means over sets and
        seeds), large ones their mean, lines go from the least to the largest draw. The oracle is a
        dashed line. A panel without values, as of a null, is left out.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    labels = dict(labels) if PLAIN_MEAN in labels else {**labels, PLAIN_MEAN: "plain mean"}
    colors, methods = method_colors(labels), methods_in(table, labels)
    draws = draw_means(table)
    panels = [metric for metric in PANELS if metric in set(draws["metric"])]
    if not methods or not panels:
        return without_data(NO_TERMS)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(3.1 * len(panels) + 2.2, 0.42 * len(methods) + 1.7),
        sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, metric in zip(axes[0], panels, strict=True):
        part = draws[draws["metric"] == metric]
        for y, method in enumerate(methods):
            values = part.loc[part["method"] == method, "value"].to_numpy()
            if not len(values):
                continue
            color = colors[method]
            axis.hlines(y, values.min(), values.max(), color=color, lw=1.6)
            axis.scatter(values, np.full(len(values), y), s=12, color=color, alpha=0.6, lw=0)
            axis.scatter(values.mean(), y, s=46, color=color, edgecolor="white", lw=0.8, zorder=3)
            number = values.mean()
            note = f"{number:.2f}" if number < 10 else f"{number:.0f}"
            write(axis, values.max(), y, note, pad=6, bbox=NOTE)
        told = part.loc[part["method"] == ORACLE, "value"]
        if len(told):
            axis.axvline(told.mean(), color="0.3", ls="--", lw=1.1, zorder=0)
            words = "oracle: ridge regression on the set's own genes"
            handle = Line2D([], [], color="0.3", ls="--", lw=1.1, label=words)
            figure.legend(handles=[handle], loc="outside lower center", frameon=False)
        title, end = PANELS[metric]
        axis.set_title(title, loc="left", fontsize=10)
        largest = end or max(1.0, float(part["value"].max()))
        axis.set_xlim(-0.03 * largest, 1.2 * largest)  # room for the numbers
        axis.set_xticks([tick for tick in axis.get_xticks() if 0 <= tick <= largest])
    axes[0, 0].set_yticks(range(len(methods)), [method_label(m, labels) for m in methods])
    for axis in axes[0]:
        separate_rows(axis, len(methods))
    sns.despine(figure)
    return figure


def draw_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over sets and seeds of each draw: method, metric, dataset, value."""
    means = table.dropna(subset="value").groupby(["method", "metric", "dataset"], sort=False)
    return means["value"].mean().reset_index()

"""The talk's ideas that do not work, beside the autoencoder."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from .style import method_colors, method_label, readable, set_style


def plot_ablation(ablation: pd.DataFrame, labels: Mapping[str, str], columns: int = 4) -> Figure:
    """Draw each score, a panel a score, a bar a method (the mean over seeds), a dot a seed.

    Parameters
    ----------
    ablation
        The table ablation.csv of one data set; all scores lie between 0 and 1. Where a score is a
        mean over terms, their number (n_terms) of those that were chosen (of_terms) is written.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    columns
        Panels in a row.
    """
    set_style()
    colors = method_colors(labels)
    metrics = list(dict.fromkeys(ablation["metric"]))
    methods = [m for m in labels if m in set(ablation["method"])]
    n_rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(
        n_rows, min(columns, len(metrics)), figsize=(13.5, n_rows * (1.1 + 0.42 * len(methods))),
        sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, metric in zip(axes.flat, metrics, strict=False):
        part = ablation[ablation["metric"] == metric]
        mean = part.groupby("method")["value"].mean().reindex(methods)
        axis.barh(
            [method_label(m, labels) for m in methods], mean.fillna(0),
            color=[colors[m] for m in methods],
        )  # fmt: skip
        for position, method in enumerate(methods):
            rows = part[part["method"] == method]
            own = rows["value"]
            end = own.max() if len(own) else 0
            nothing = "one seed only" if "two seeds" in metric else "none"
            note = nothing if own.isna().all() else f"{own.mean():.2f}{_mean_of(rows)}"
            if len(own) > 1:
                axis.plot(own, [position] * len(own), "o", color="black", markersize=3)
            axis.annotate(
                note, (end, position), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=8,
            )  # fmt: skip
        counted = "n_terms" in part and part["n_terms"].notna().any()
        axis.set_xlim(0, 2.0 if counted else 1.2)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title(readable(metric, 28), fontsize=10)
    for axis in axes.flat[len(metrics) :]:
        axis.set_visible(False)
    axes[0, 0].invert_yaxis()
    sns.despine(figure)
    return figure


def _mean_of(rows: pd.DataFrame) -> str:
    """Say over how many of the chosen terms a score is a mean, of one method."""
    if "n_terms" not in rows or rows["n_terms"].isna().all():
        return ""
    low, high = int(rows["n_terms"].min()), int(rows["n_terms"].max())
    number = f"{low}" if low == high else f"{low} to {high}"
    return f",\nmean of {number} of {int(rows['of_terms'].max())} terms"

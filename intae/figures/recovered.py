"""What the methods recover of a planted truth, in numbers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from .style import NO_TERMS, method_colors, method_label, set_style, without_data

COLUMNS = 4  # of panels


def plot_recovery(recovery: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw each score of recovery, a panel a score, a bar a method.

    Parameters
    ----------
    recovery
        The table recovery.csv of one simulation. The mean over its draws and the seeds is drawn,
        and a line from the least to the largest. A score that no method has is left out.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels)
    scored = set(recovery.dropna(subset="value")["metric"])
    metrics = [metric for metric in dict.fromkeys(recovery["metric"]) if metric in scored]
    methods = [m for m in labels if m in set(recovery["method"])]
    if not metrics:
        return without_data(NO_TERMS)
    columns = min(COLUMNS, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.6 * columns + 1.6, (0.36 * len(methods) + 1.3) * rows),
        sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis in axes.flat[len(metrics) :]:
        axis.remove()
    for axis, metric in zip(axes.flat, metrics, strict=False):
        values = recovery[recovery["metric"] == metric].groupby("method")["value"]
        low, mean, high = (getattr(values, f)().reindex(methods) for f in ("min", "mean", "max"))
        axis.barh(
            [method_label(m, labels) for m in methods], mean.fillna(0),
            color=[colors[m] for m in methods],
        )  # fmt: skip
        axis.hlines(np.arange(len(methods)), low, high, color="0.25", lw=1.2)
        for y, method in enumerate(methods):
            value = mean[method]
            note = "none" if pd.isna(value) else f"{value:.2f}"
            axis.annotate(
                note, (0 if pd.isna(value) else high[method], y),
                xytext=(3, 0), textcoords="offset points", va="center", fontsize=8,
            )  # fmt: skip
        axis.set_xlim(0, 1.25)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title("\n".join(textwrap.wrap(metric, 20)), fontsize=10)
    axes[0, 0].invert_yaxis()  # shared
    sns.despine(figure)
    return figure

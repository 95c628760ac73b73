"""What the methods recover of a planted truth."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from .style import method_colors, method_label, set_style


def plot_recovery(recovery: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw each score of recovery, a panel a score, a bar a method (the mean over seeds).

    Parameters
    ----------
    recovery
        The table recovery.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels)
    metrics = list(dict.fromkeys(recovery["metric"]))
    methods = [m for m in labels if m in set(recovery["method"])]
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(2.6 * len(metrics) + 1.6, 0.42 * len(methods) + 1.4),
        sharey=True, layout="constrained",
    )  # fmt: skip
    for axis, metric in zip(axes, metrics, strict=True):
        part = recovery[recovery["metric"] == metric]
        mean = part.groupby("method")["value"].mean().reindex(methods)
        bars = axis.barh(
            [method_label(m, labels) for m in methods], mean.fillna(0),
            color=[colors[m] for m in methods],
        )  # fmt: skip
        for bar, value in zip(bars, mean, strict=True):
            note = "none" if pd.isna(value) else f"{value:.2f}"
            axis.annotate(
                note, (bar.get_width(), bar.get_y() + bar.get_height() / 2),
                xytext=(3, 0), textcoords="offset points", va="center", fontsize=8,
            )  # fmt: skip
        axis.set_xlim(0, 1.25)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title(_break(metric), fontsize=10)
    axes[0].invert_yaxis()
    sns.despine(figure)
    return figure


def _break(metric: str) -> str:
    words = metric.split()
    half = (len(words) + 1) // 2
    return " ".join(words[:half]) + "\n" + " ".join(words[half:])

"""Runtime and memory of the methods."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from .style import method_colors, method_label, set_style

MEASURES = {"seconds": "wall time of a fit (log scale)", "peak_mb": "peak memory [MB]"}
# readable marks on a time axis, in seconds
TICKS = {
    0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h",
    36_000: "10 h", 86_400 * 4: "4 days",
}  # fmt: skip


def plot_cost(runtime: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw wall time and peak memory, a row of panels a data set, time on a log axis.

    Parameters
    ----------
    runtime
        The table runtime.csv. Of several seeds the mean is drawn, and a line from
        the least to the largest. Projected times are hatched.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels)
    datasets = list(dict.fromkeys(runtime["dataset"]))
    n_rows = runtime.groupby("dataset")["method"].nunique()
    figure, axes = plt.subplots(
        len(datasets),
        len(MEASURES),
        figsize=(10, 1.1 + sum(0.36 * n_rows[d] + 1.0 for d in datasets)),
        squeeze=False,
        height_ratios=[n_rows[d] for d in datasets],
        layout="constrained",
    )
    for row, dataset in zip(axes, datasets, strict=True):
        part = runtime[runtime["dataset"] == dataset]
        seeds = part.groupby("method", sort=False)[["seconds", "peak_mb"]]
        mean, least, most = seeds.mean(), seeds.min(), seeds.max()
        projected = part.groupby("method")["projected"].any()
        size = part.iloc[0]
        for axis, (measure, title) in zip(row, MEASURES.items(), strict=True):
            bars = axis.barh(
                [method_label(m, labels) for m in mean.index],
                mean[measure],
                color=[colors[m] for m in mean.index],
            )
            for bar, method in zip(bars, mean.index, strict=True):
                value = mean.loc[method, measure]
                note = _duration(value) if measure == "seconds" else f"{value:,.0f}"
                if measure == "seconds" and projected[method]:
                    bar.set_hatch("///")
                    bar.set_edgecolor("white")
                    note += " (projected)"
                if most.loc[method, measure] > least.loc[method, measure]:
                    axis.hlines(
                        bar.get_y() + bar.get_height() / 2, least.loc[method, measure],
                        most.loc[method, measure], color="0.15", lw=1.6,
                    )  # fmt: skip
                axis.annotate(
                    note, (most.loc[method, measure], bar.get_y() + bar.get_height() / 2),
                    xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
                )  # fmt: skip
            low, high = least[measure].min(), most[measure].max()
            if measure == "seconds":
                axis.set_xscale("log")
                axis.set_xlim(low / 3, high * (high / low) ** 0.45 * 3)  # room for the numbers
                ticks = [t for t in TICKS if axis.get_xlim()[0] <= t <= high]
                axis.set_xticks(ticks, [TICKS[t] for t in ticks])
                axis.minorticks_off()
            else:
                axis.set_xlim(0, high * 1.2)
            axis.invert_yaxis()
            axis.set_xlabel(title)
        row[0].set_title(
            f"{dataset}: {size['n_cells']:,} cells x {size['n_genes']:,} genes", loc="left"
        )
        row[1].set_yticklabels([])
    sns.despine(figure)
    return figure


def _duration(seconds: float) -> str:
    """Write a duration for people."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 1.5 * size or (unit == "s" and seconds >= 1):
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1000:.0f} ms"

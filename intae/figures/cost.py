"""Runtime and memory of the methods: of each data set, and against the number of cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import method_colors, method_label, methods_in, set_style, write

MEASURES = {"seconds": "wall time of one fit (log scale)", "peak_mb": "peak memory [MB]"}
# readable marks on a time axis, in seconds
TICKS = {
    0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h",
    36_000: "10 h", 86_400 * 4: "4 days",
}  # fmt: skip


def plot_cost(runtime: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw wall time and peak memory, one row of panels per data set, time on a log axis.

    All rows share both axes.

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
                middle = bar.get_y() + bar.get_height() / 2
                write(axis, most.loc[method, measure], middle, note, size=9)
            if measure == "seconds":
                axis.set_xscale("log")
                axis.set_xlim(*_ends(runtime["seconds"]))
                axis.set_xticks(*_apart(*axis.get_xlim(), runtime["seconds"].max()))
                axis.minorticks_off()
            else:
                axis.set_xlim(0, runtime["peak_mb"].max() * 1.2)
            axis.invert_yaxis()
            axis.set_xlabel(title)
        row[0].set_title(
            f"{dataset}: {size['n_cells']:,} cells x {size['n_genes']:,} genes", loc="left"
        )
        row[1].set_yticklabels([])
    sns.despine(figure)
    return figure


def _ends(seconds: pd.Series) -> tuple[float, float]:
    """Return the ends of a time axis that all data sets share, with room for the numbers."""
    low, high = seconds.min(), seconds.max()
    return low / 3, high * (high / low) ** 0.45 * 3


def _apart(low: float, high: float, last: float) -> tuple[list[float], list[str]]:
    """Return the readable marks of a time axis, without those that would touch another."""
    shown: list[float] = []
    for tick in TICKS:
        wide = not shown or np.log(tick / shown[-1]) > 0.11 * np.log(high / low)
        if low <= tick <= last and wide:
            shown.append(tick)
    return shown, [TICKS[tick] for tick in shown]


def _duration(seconds: float) -> str:
    """Write a duration for people."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 1.5 * size or (unit == "s" and seconds >= 1):
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1000:.0f} ms"


TITLES = {"seconds": "wall time of one fit", "peak_mb": "peak memory of the process [MB]"}
MARKERS = "osD^vP*X<>hp"


def plot_scaling(scaling: pd.DataFrame, slopes: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw time and memory against the number of cells, both axes logarithmic, one line per method.

    Parameters
    ----------
    scaling
        The table scaling.csv of one data set. Of several seeds at one size the mean is drawn,
        and a line from the least to the largest; projected times are hollow.
    slopes
        Its table scaling_slopes.csv; the slopes stand in the legends.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels)
    methods = methods_in(scaling, labels)
    markers = {m: MARKERS[i % len(MARKERS)] for i, m in enumerate(methods)}
    slope = slopes.set_index(["method", "measure"])
    height = 1.4 + max(2.6, 0.27 * (len(methods) + 2))
    figure, axes = plt.subplots(2, 1, figsize=(9.5, 2 * height), layout="constrained")
    for axis, (measure, title) in zip(axes, TITLES.items(), strict=True):
        ends = {}
        for method in methods:
            part = scaling[scaling["method"] == method].groupby("n_cells")
            mean, projected = part[measure].mean(), part["projected"].any()
            if measure != "seconds":
                projected &= False  # reached at the start, so it is measured
            axis.plot(mean.index, mean, color=colors[method], linewidth=1.5, zorder=2)
            axis.scatter(
                mean.index, mean, s=34, marker=markers[method], zorder=3,
                edgecolors=[colors[method]] * len(mean),
                facecolors=["white" if p else colors[method] for p in projected],
            )  # fmt: skip
            spread = part[measure].agg(["min", "max"])
            spread = spread[spread["max"] > spread["min"]]
            if len(spread):
                low, high = spread["min"], spread["max"]
                axis.vlines(spread.index, low, high, color=colors[method], lw=5, alpha=0.4)
            ends[method] = mean.iloc[-1]
        handles = [
            Line2D(
                [], [], color=colors[m], marker=markers[m],
                label=f"{method_label(m, labels)}: {_slope(slope, m, measure)}",
            )
            for m in sorted(ends, key=ends.get, reverse=True)
        ]  # fmt: skip
        if measure == "seconds" and scaling["projected"].any():
            hollow = dict(marker="o", markerfacecolor="white", linestyle="none")
            handles.append(Line2D([], [], color="0.3", label="hollow: projected", **hollow))
        axis.legend(
            handles=handles, title="slope, ± its standard error", loc="center left",
            bbox_to_anchor=(1.01, 0.5), frameon=False, alignment="left",
        )  # fmt: skip
        axis.set_ylabel(title)
        _scale(axis, scaling, measure)
    axes[1].set_xlabel("cells")
    size = scaling.iloc[0]
    threads = "/".join(str(t) for t in sorted(scaling["threads"].unique()))
    where = ", ".join(scaling["cpu"].unique())
    devices = " and ".join(d for d in sorted(scaling["device"].unique()) if d != "cpu")
    where += f" ({devices} for networks)" if devices else ""
    axes[0].set_title(
        f"{size['dataset']}: {size['n_genes']:,} genes\n{where}, "
        f"{threads} thread{'s'[: threads != '1']} per fit",
        loc="left",
    )
    sns.despine(figure)
    return figure


def _slope(slope: pd.DataFrame, method: str, measure: str) -> str:
    if (method, measure) not in slope.index:
        return "none (too few sizes, or too short)"
    row = slope.loc[(method, measure)]
    error = f" ± {row['standard_error']:.2f}"
    if np.isnan(row["standard_error"]):
        error = f" ({row['n_sizes']:.0f} sizes)"
    number = f"{round(row['slope'], 2) + 0.0:.2f}"  # no "-0.00"
    return number.replace("-", "\N{MINUS SIGN}") + error


def _scale(axis: Axes, scaling: pd.DataFrame, measure: str) -> None:
    """Set logarithmic axes whose marks people can read."""
    sizes, values = sorted(scaling["n_cells"].unique()), scaling[measure]
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    shown = [s for i, s in enumerate(sizes) if i == 0 or s / sizes[i - 1] > 1.15]
    axis.set_xticks(shown, [f"{s:,}" for s in shown])
    steps = [base * 10**power for power in range(8) for base in (1, 2, 5)]
    marks = TICKS if measure == "seconds" else {step: f"{step:,}" for step in steps}
    low, high = values.min() / 1.5, values.max() * 1.5
    if sum(low <= mark <= high for mark in marks) < 2:  # one mark alone is no scale
        low = max([mark for mark in marks if mark <= low], default=low)
        high = min([mark for mark in marks if mark >= high], default=high)
    axis.set_ylim(low, high)
    ticks = {mark: text for mark, text in marks.items() if low <= mark <= high}
    axis.set_yticks(list(ticks), list(ticks.values()))
    axis.minorticks_off()
    axis.grid(alpha=0.3)

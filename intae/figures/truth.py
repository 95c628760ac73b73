"""What the methods recover of a planted truth: scores, curves, and false positives."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .draws import NOTE
from .style import (
    NO_TERMS,
    looks,
    method_colors,
    method_label,
    methods_in,
    set_style,
    span,
    without_data,
    write,
)

COLUMNS = 4  # of panels


def plot_recovery(recovery: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw each score of recovery: one panel per score, one bar per method.

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
    methods = methods_in(recovery, labels)
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
            none = pd.isna(mean[method])
            note = "none" if none else f"{mean[method]:.2f}"
            write(axis, 0 if none else high[method], y, note, pad=3)
        axis.set_xlim(0, 1.25)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title("\n".join(textwrap.wrap(metric, 20)), fontsize=10)
    axes[0, 0].invert_yaxis()  # shared
    sns.despine(figure)
    return figure


# table's word -> title, what recall counts
PANELS = {
    "terms": ("active terms,\nthe most relevant first", "share of the active terms found"),
    "added genes": (
        "genes missing from sets,\nthe largest weights outside a set first",
        "share of the missing genes found",
    ),
    "wrong genes": (
        "genes wrongly in sets,\nthe smallest weights in a set first",
        "share of the wrong genes found",
    ),
}
GRID = np.linspace(0, 1, 201)[1:]
NEAR = (0.025, 0.035)  # ends of curves that are closer, in recall and in precision, would overlap


def plot_recovery_curves(curves: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw precision against recall: one panel per ranking, one colour per method.

    A dot marks where a curve ends before the right edge; dots that would overlap are moved apart,
    up and down.

    Parameters
    ----------
    curves
        The table recovery_curves.csv of one simulation. The mean over its draws and the seeds is
        drawn as far as all of them reach, the band from the least to the largest.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels)
    methods = methods_in(curves, labels)
    if not methods:
        return without_data(NO_TERMS)
    look = looks(labels)
    figure, axes = plt.subplots(
        1, len(PANELS), figsize=(10.5, 5.4), sharey=True, layout="constrained"
    )
    for axis, (what, (title, found)) in zip(axes, PANELS.items(), strict=True):
        part = curves[curves["what"] == what]
        ends = {}
        for method in methods:
            each = part[part["method"] == method]
            if each.empty:
                continue
            n_fits = len(
                curves.loc[curves["method"] == method, ["dataset", "seed"]].drop_duplicates()
            )
            precision = precision_at(each, n_fits)
            shown = GRID[: precision.shape[1]]
            if not len(shown):
                continue
            axis.fill_between(
                shown, precision.min(0), precision.max(0), color=colors[method], alpha=0.12, lw=0
            )
            axis.plot(shown, precision.mean(0), color=colors[method], lw=2, ls=look[method][1])
            if len(shown) < len(GRID):
                ends[method] = shown[-1], precision.mean(0)[-1]
        for method, (x, y) in zip(ends, apart(list(ends.values())), strict=True):
            axis.scatter(
                x,
                y,
                s=44,
                marker=look[method][0],
                color=colors[method],
                edgecolor="white",
                lw=0.9,
                zorder=4,
                clip_on=False,
            )
        if len(part):
            axis.axhline(part["chance"].mean(), color="0.4", ls=":", lw=1.2, zorder=0)
        axis.set_title(title, loc="left")
        axis.set_xlabel(f"recall: {found}")
        axis.set_xlim(0, 1.02)
        axis.set_ylim(0, 1.03)
    axes[0].set_ylabel("precision: share of right ones\namong those ranked so far")
    handles = [
        Line2D([], [], color=colors[m], lw=2, ls=look[m][1], label=method_label(m, labels))
        for m in methods
    ]
    handles.append(
        Line2D([], [], ls="", marker="o", color="0.4", mec="white", ms=7, label="ends early")
    )
    handles.append(Line2D([], [], color="0.4", ls=":", lw=1.2, label="a random order"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    sns.despine(figure)
    return figure


def apart(ends: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Move the ends of curves that coincide apart, up and down, within the axis.

    Parameters
    ----------
    ends
        Recall and precision at the end of each curve.

    Returns
    -------
    The same, in this order: those close to one another are spread about their mean precision.
    """
    heights = [y for _, y in ends]
    groups: list[list[int]] = []
    for i, (x, y) in enumerate(ends):
        near = [
            g
            for g in groups
            if any(abs(x - ends[j][0]) < NEAR[0] and abs(y - ends[j][1]) < NEAR[1] for j in g)
        ]
        groups = [g for g in groups if g not in near] + [[*(j for g in near for j in g), i]]
    for group in groups:
        group = sorted(group, key=lambda i: (-ends[i][1], i))
        half = NEAR[1] * (len(group) - 1) / 2
        middle = np.clip(np.mean([ends[i][1] for i in group]), half, 1 - half)
        if len(group) > 1:
            for i, y in zip(
                group, np.linspace(middle + half, middle - half, len(group)), strict=True
            ):
                heights[i] = float(y)
    return [(x, y) for (x, _), y in zip(ends, heights, strict=True)]


def precision_at(curves: pd.DataFrame, n_fits: int) -> np.ndarray:
    """Return the precision of each fit when it has found each share of `GRID`.

    Parameters
    ----------
    curves
        recovery_curves.csv of one method and one ranking.
    n_fits
        Number of fits of the method.

    Returns
    -------
    fits x shares, as far as every fit's curve reaches; none where a fit has no curve.
    """
    rows, reach = [], 1.0
    for _, curve in curves.groupby(["dataset", "seed"]):
        curve = curve.sort_values("recall")
        # up to the k-th found thing, the precision is that at which the k-th is found
        place = np.searchsorted(curve["recall"].to_numpy() + 1e-5, GRID)
        reach = min(reach, curve["recall"].max())
        rows.append(curve["precision"].to_numpy()[np.minimum(place, len(curve) - 1)])
    if len(rows) < n_fits:
        return np.empty((0, 0))
    return np.array(rows)[:, GRID <= reach + 1e-5]


# the table's words -> colour, words of the legend; greys, since colours stand for methods
OUTCOMES = {
    "true": ("0.15", "truly active"),
    "false, overlaps a true one": ("0.6", "false, shares genes with a truly active set"),
    "false, overlaps none": ("0.85", "false, shares few or no genes with one"),
}
TITLES = {
    "switched on": "terms that the method\nleaves switched on",
    "top ranked": "as many of its most relevant terms\nas are truly active",
    "differs between conditions": "terms whose loadings differ\nbetween the conditions",
}
EVERY = "all terms\n(middle: as many at random)"


def plot_false_positives(counts: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw the terms called active, rightly and wrongly: one panel per rule, one bar per method.

    Parameters
    ----------
    counts
        The table false_positives.csv of one simulation. The mean over its draws and the seeds is
        drawn; beside each bar stand both numbers, each with the least and the most.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    methods = methods_in(counts, labels)
    if not methods:
        return without_data(NO_TERMS)
    names = [*(method_label(m, labels) for m in methods), EVERY]
    figure, axes = plt.subplots(
        1, len(TITLES), figsize=(13, 0.4 * len(names) + 1.9), sharey=True, layout="constrained"
    )
    for axis, (rule, title) in zip(axes, TITLES.items(), strict=True):
        part = counts[counts["rule"] == rule]
        mean = part.pivot_table(index="method", columns="outcome", values="n").reindex(methods)
        every = part.groupby("outcome")["of"].mean()
        if rule == "top ranked":
            every *= every["true"] / every.sum()
        mean.loc[EVERY] = every
        left = pd.Series(0.0, mean.index)
        for outcome, (color, _) in OUTCOMES.items():
            axis.barh(names, mean[outcome], left=left, color=color, edgecolor="white", lw=0.5)
            left += mean[outcome]
        part = part.assign(right=part["outcome"] == "true")
        each = part.groupby(["method", "dataset", "seed", "right"])["n"].sum().unstack()
        for y, method in enumerate(methods):
            write(axis, left[method], y, _note(each.loc[method]), bbox=NOTE)
        true = part.loc[part["right"], "of"].mean()
        axis.axvline(true, color="black", ls="--", lw=1)
        axis.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 5, 10]))
        axis.set_xlim(0, 2.0 * left.max())  # room for the numbers, without ticks there
        axis.set_xticks([tick for tick in axis.get_xticks() if 0 <= tick <= left.max()])
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlabel("number of terms")
    axes[0].invert_yaxis()
    handles = [Patch(color=color, label=words) for color, words in OUTCOMES.values()]
    words = "number of truly active terms"
    handles.append(Line2D([], [], color="black", ls="--", lw=1, label=words))
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    sns.despine(figure)
    return figure


def _note(counts: pd.DataFrame) -> str:
    """Write the mean numbers of true and false ones, each with its range."""
    return ", ".join(
        f"{_number(n.mean())} {word}{'' if n.min() == n.max() else f' ({span(n.min(), n.max())})'}"
        for word, n in (("true", counts[True]), ("false", counts[False]))
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"

"""Cells that a fit never saw: separation by several measures, and reconstruction."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..metrics.separation import UNANNOTATED
from .style import Color, edge_color, method_colors, method_label, readable, set_style, without_data

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
}
# split -> mark, filled or not, what it says
MARKS = {
    "train": ("o", False, "on all cells, as in the paper"),
    "held_out": ("s", False, "cells unseen by the regression"),
    "unseen": ("o", True, "cells unseen by the fit as well"),
    "choice": ("D", True, "the same, term chosen anew in each fold (line: over folds)"),
}
STAGGER = (-0.06, 0.06, 0.0)  # neighbours, from the least to the largest, are not on one line


def plot_metrics(accuracy: pd.DataFrame, choice: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw accuracy, balanced accuracy and AUROC of each method's best term, way by way.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set. The best term of a method is the one with the
        highest mean over seeds on all cells; of methods without gene sets, the best component.
        Of several seeds the mean is drawn, and a line from the least to the largest.
    choice
        The table choice.csv of the data set; may be empty.
    labels
        Method -> its name in figures, for the methods to draw, in order.
    """
    set_style()
    methods = [m for m in labels if m in set(accuracy["method"])]
    if not methods:
        return without_data("no fit has finished")
    best = {method: _best_term(accuracy, method) for method in methods}
    colors = method_colors(labels)
    chosen = choice.assign(split="choice")
    splits = [s for s in MARKS if s in {*accuracy["split"], *chosen["split"]}]
    figure, axes = plt.subplots(
        1,
        3,
        figsize=(13, 1.7 + 0.62 * len(methods)),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for axis, (metric, title) in zip(axes, METRICS.items(), strict=True):
        for k, method in enumerate(methods):
            own = accuracy[(accuracy["method"] == method) & (accuracy["term"] == best[method])]
            own = pd.concat([own, chosen[chosen["method"] == method]])
            for i, split in enumerate(splits):
                y = k + 0.17 * (i - (len(splits) - 1) / 2)
                _dot(axis, own.loc[own["split"] == split, metric], y, split, colors[method])
        for k in range(1, len(methods)):
            axis.axhline(k - 0.5, color="0.9", lw=0.8, zorder=0)
        axis.set_title(title, loc="left")
    names = [f"{method_label(m, labels)}\n{_name(best[m])}" for m in methods]
    axes[0].set_yticks(range(len(methods)), names)
    axes[0].set_ylim(len(methods) - 0.5, -0.5)
    handles = [
        Line2D([], [], ls="", marker=MARKS[s][0], color="0.3", mew=1.5, label=MARKS[s][2],
               mfc="0.3" if MARKS[s][1] else "white")
        for s in splits
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    sns.despine(figure)
    return figure


def plot_reconstruction(
    reconstruction: pd.DataFrame, labels: Mapping[str, str], without_sets: Collection[str] = ()
) -> Figure:
    """Draw the share of variance that a method reconstructs, in cells it saw and in unseen ones.

    Parameters
    ----------
    reconstruction
        The table reconstruction.csv of one data set; a dot a fold and seed, a line at the mean.
        Dots of a row stand at different heights, so that none hides another.
    labels
        Method -> its name in figures, for the methods to draw, in order.
    without_sets
        Methods without gene sets, whose terms are components.
    """
    set_style()
    methods = [m for m in labels if m in set(reconstruction["method"])]
    if not methods:
        return without_data("no method reconstructs expression")
    colors = method_colors(labels)
    figure, axis = plt.subplots(figsize=(10, 1.7 + 0.6 * len(methods)), layout="constrained")
    for k, method in enumerate(methods):
        part = reconstruction[reconstruction["method"] == method]
        edge = edge_color(colors[method])
        for split, y, style in (
            ("train", k - 0.18, {"facecolor": "white", "edgecolor": edge, "lw": 1.5}),
            ("unseen", k + 0.18, {"facecolor": colors[method], "edgecolor": "white", "lw": 0.8}),
        ):
            values = part.loc[part["split"] == split, "variance_explained"].sort_values()
            heights = y + np.resize(STAGGER, len(values))
            axis.scatter(values, heights, s=46, zorder=3, **style)
            axis.vlines(values.mean(), y - 0.15, y + 0.15, color="0.15", lw=1.6, zorder=4)
        low, high = part["n_terms_active"].min(), part["n_terms_active"].max()
        number = f"{low}" if low == high else f"{low} to {high}"
        number += "\ncomponents" if method in without_sets else ""
        axis.annotate(
            number, (1.0, k), va="center", fontsize=9,
            xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
        )  # fmt: skip
        if k:
            axis.axhline(k - 0.5, color="0.9", lw=0.8, zorder=0)
    axis.annotate(
        "terms on", (1.0, 1.0), xycoords="axes fraction", xytext=(6, 4), fontsize=9,
        textcoords="offset points",
    )  # fmt: skip
    axis.set_yticks(range(len(methods)), [method_label(m, labels) for m in methods])
    axis.set_ylim(len(methods) - 0.5, -0.5)
    axis.set_xlim(min(0.0, reconstruction["variance_explained"].min() - 0.02), None)
    axis.set_xlabel("share of variance explained, about the mean of the training cells")
    handles = [
        Line2D([], [], ls="", marker="o", color="0.3", mew=1.5, mfc=face, label=label)
        for face, label in (("white", "cells of the fit"), ("0.3", "unseen cells"))
    ]
    handles.append(Line2D([], [], ls="", marker="|", color="0.15", ms=11, mew=1.6, label="mean"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    sns.despine(figure)
    return figure


def _best_term(accuracy: pd.DataFrame, method: str) -> str:
    """Return the term of a method that separates all cells best, the mean over seeds."""
    part = accuracy[(accuracy["method"] == method) & (accuracy["split"] == "train")]
    free = part["term"].str.match(UNANNOTATED)
    part = part if free.all() else part[~free]
    return part.groupby("term")["accuracy"].mean().idxmax()


def _name(term: str) -> str:
    """Name a term; only what has no gene sets is shown by an unannotated one, a component."""
    if re.match(UNANNOTATED, term):
        return f"component {term.split('_')[-1]}"
    return readable(term, 60)


def _dot(axis: Axes, values: pd.Series, y: float, split: str, color: Color) -> None:
    values = values.dropna()
    if values.empty:
        return
    mark, filled, _ = MARKS[split]
    if len(values) > 1:
        axis.hlines(y, values.min(), values.max(), color=edge_color(color), lw=2, alpha=0.5)
    axis.scatter(
        values.mean(), y, marker=mark, s=40 if mark == "o" else 30, linewidth=1.5, zorder=3,
        facecolor=color if filled else "white", edgecolor=edge_color(color),
    )  # fmt: skip

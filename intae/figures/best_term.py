"""How well each method's best term separates the conditions, in cells that it saw and did not."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..metrics.separation import UNANNOTATED
from .families import family_label
from .style import (
    edge_color,
    method_colors,
    method_label,
    methods_in,
    recommended_first,
    separate_rows,
    set_style,
    without_data,
    write,
)

CHANCE = 0.5
ALL, UNSEEN = "all cells", "cells that it never saw"
# of these, the first that a method has says how it does on unseen cells
UNSEEN_SPLITS = ("unseen_family", "unseen")


def unseen_splits(method: str, scores: Collection[str]) -> tuple[str, ...]:
    """Return the splits that hold for unseen cells, the best first.

    A plain score looks at one cell at a time: cells that only the regression did not see are
    unseen to it.
    """
    return (*UNSEEN_SPLITS, "held_out") if method in scores else UNSEEN_SPLITS


def best_terms(
    accuracy: pd.DataFrame, methods: Sequence[str], scores: Collection[str] = ()
) -> pd.DataFrame:
    """Return the term of each method that separates the condition of all cells best, by AUROC.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set.
    methods
        Their order is that of the rows.
    scores
        Methods that are plain scores.

    Returns
    -------
    One row per method in the table: method, term (of methods without gene sets a component); all,
    all_min and all_max: AUROC on all cells, mean over seeds and its ends; unseen, unseen_min and
    unseen_max: the same on cells that the fit never saw, NaN where the method has no folds.
    """
    rows = []
    for method in methods_in(accuracy, methods):
        own = accuracy[accuracy["method"] == method]
        train = own[own["split"] == "train"]
        free = train["term"].str.match(UNANNOTATED)
        train = train if free.all() else train[~free]
        of_term = train.groupby("term")["auroc"].mean()
        if of_term.dropna().empty:
            continue
        term = str(of_term.idxmax())
        row = {"method": method, "term": term} | _ends(train[train["term"] == term], "all")
        splits = unseen_splits(method, scores)
        split = next((s for s in splits if s in set(own["split"])), None)
        unseen = own[(own["split"] == split) & (own["term"] == term)]
        rows.append(row | _ends(unseen, "unseen"))
    columns = ["method", "term", *(f"{k}{e}" for k in ("all", "unseen") for e in ENDS)]
    return pd.DataFrame(rows, columns=columns)


ENDS = {"": "mean", "_min": "min", "_max": "max"}


def _ends(rows: pd.DataFrame, name: str) -> dict[str, float]:
    return {f"{name}{end}": getattr(rows["auroc"], how)() for end, how in ENDS.items()}


def plot_best_term(
    accuracy: pd.DataFrame,
    labels: Mapping[str, str],
    roles: Mapping[str, str],
    families: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    *,
    scores: Collection[str] = (),
    recommended: str | None = None,
) -> Figure:
    """Draw the AUROC of each method's best term, two marks a row, the axis from chance.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set.
    labels
        Method -> its name in figures, for the methods to draw, in order.
    roles
        Method -> model or control; controls stand below the models.
    families
        Method -> term -> the others of its family, which are named with the best term.
    scores
        Methods that are plain scores.
    recommended
        The method that comes first.
    """
    set_style()
    order = sorted(recommended_first(labels, recommended), key=lambda m: roles.get(m) == "control")
    best = best_terms(accuracy, order, scores)
    if best.empty:
        return without_data("no fit has finished")
    colors, families = method_colors(labels), families or {}
    names = [
        f"{method_label(row.method, labels)}\n{_name(row.term, families.get(row.method, {}))}"
        for row in best.itertuples()
    ]
    height = 0.1 + 0.16 * max(name.count("\n") + 1 for name in names)
    figure, axis = plt.subplots(figsize=(11, 1.6 + height * len(best)), layout="constrained")
    for y, row in enumerate(best.itertuples()):
        edge = edge_color(colors[row.method])
        if not np.isnan(row.unseen):
            axis.plot([row.all, row.unseen], [y, y], color=edge, lw=1, alpha=0.5, zorder=1)
            axis.hlines(y, row.unseen_min, row.unseen_max, color=edge, lw=4, alpha=0.4)
            axis.scatter(row.unseen, y, s=64, color=colors[row.method], edgecolor=edge, zorder=3)
        axis.hlines(y, row.all_min, row.all_max, color=edge, lw=1.5)
        style = {"facecolor": "white", "edgecolor": edge, "linewidth": 1.6}
        axis.scatter(row.all, y, s=34, zorder=4, **style)
        note = f"{row.all:.2f}, not tested on unseen cells"
        if not np.isnan(row.unseen):
            note = f"{row.unseen:.2f} unseen, {row.all:.2f} on all"
        write(axis, 1.0, y, note, pad=8, size=9, annotation_clip=False)
    axis.set_yticks(range(len(names)), names)
    if recommended in set(best["method"]):
        axis.get_yticklabels()[list(best["method"]).index(recommended)].set_fontweight("bold")
    separate_rows(axis, len(best))
    low = min(best[["all_min", "unseen_min"]].min().min(), CHANCE)
    axis.set_xlim(low, 1.005)
    axis.axvline(CHANCE, color="0.4", ls="--", lw=1, zorder=0)
    axis.set_xlabel("AUROC of the term (0.5: chance, 1: perfect)")
    marks = {ALL: ("white", 6), UNSEEN: ("0.3", 8)}
    handles = [
        Line2D([], [], ls="", marker="o", ms=size, mfc=face, mec="0.3", mew=1.5, label=words)
        for words, (face, size) in marks.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    sns.despine(figure)
    return figure


def _name(term: str, family: Mapping[str, Sequence[str]]) -> str:
    """Name a term; only what has no gene sets is shown by an unannotated one, a component."""
    if re.match(UNANNOTATED, term):
        return f"component {term.split('_')[-1]}"
    return family_label(term, family, 72)

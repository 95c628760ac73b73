"""How far a method's answer depends on the seed, the cells and the donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .style import method_colors, method_label, plural, set_style, without_data, write

# what the two fits of a pair differ in -> heading of its block of rows
KINDS = {
    "seeds": "another seed, the same cells",
    "halves": "other cells: two random halves",
    "donors": "other donors: two halves of the donors",
}
MEDIAN_R = "(median |r|)"
JACCARD = "(Jaccard index of active terms)"
SHARED = "(shared of the 10 most relevant)"
SCORES = {
    MEDIAN_R: "same scores for the cells:\nmedian |r| of loadings",
    JACCARD: "same terms on:\nJaccard index",
    SHARED: "same terms on top:\nshared of the (up to) 10 first",
}
TOP = 10
# by family: with those of the fit of all cells, else with each fit's own
BY_FAMILY = ("(Jaccard index, families of all cells)", "(Jaccard index of active families)")
AT_RANDOM = "(Jaccard index, families drawn at random)"
BAR, FAMILY_BAR = (-0.18, 0.4), (0.24, 0.3)  # places in a row, and heights, where there are both


def plot_stability(
    stability: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    roles: Mapping[str, str] | None = None,
    permuted: Sequence[str] = (),
    terms: pd.DataFrame | None = None,
) -> Figure:
    """Draw the summaries of stability.csv of one data set: a block of rows per kind of pair.

    Only rows of one block compare like with like.

    Parameters
    ----------
    stability
        The table. The mean over pairs is drawn, and a line from the least to the largest. Where
        the method finds families, a second, hatched bar is the Jaccard index by family, and a
        stroke is that of families drawn at random.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    roles
        Method -> model, control or ablation, which is left out; by default all are models.
    permuted
        Methods whose gene sets are shuffled anew by each seed.
    terms
        The table terms.csv of the data set. A method with fewer than ten terms on can share no more
        than these, so its bar ends there.
    """
    set_style()
    colors, roles = method_colors(labels), roles or {}
    tested = {
        kind: [
            method for method in labels
            if ((stability["method"] == method) & (stability["kind"] == kind)).any()
            and roles.get(method) != "ablation"
        ]
        for kind in KINDS
    }  # fmt: skip
    tested = {kind: methods for kind, methods in tested.items() if methods}
    if not tested:
        return without_data("no method was fitted twice")
    table = stability.set_index(["method", "kind", "term"]).sort_index()
    heights = [0.75 + 0.42 * len(methods) for methods in tested.values()]
    figure, axes = plt.subplots(
        len(tested), len(SCORES), figsize=(10.5, 0.9 + sum(heights)), sharey="row", squeeze=False,
        height_ratios=heights, layout="constrained",
    )  # fmt: skip
    told: set[str] = set()
    for number, (block, (kind, methods)) in enumerate(zip(axes, tested.items(), strict=True)):
        names = []
        for method in methods:
            n_pairs = int(table.loc[(method, kind, "(number of pairs)"), "r"])
            shuffle = ", another shuffle" if kind == "seeds" and method in permuted else ""
            names.append(f"{method_label(method, labels)}{shuffle} ({plural(n_pairs, 'pair')})")
        for axis, (score, title) in zip(block, SCORES.items(), strict=True):
            for y, method in enumerate(methods):
                own = table.loc[(method, kind)]
                told |= _cell(axis, y, own, score, colors[method], possible(terms, method))
            axis.set_xlim(0, 1.3)  # room for the numbers
            axis.set_xticks([0, 0.5, 1])
            if number == 0:
                axis.xaxis.set_label_position("top")
                axis.set_xlabel(title, loc="left")
        block[0].set_title(KINDS[kind], fontsize=10.5, fontweight="bold", loc="left")
        block[0].set_yticks(range(len(names)), names)
        block[0].set_ylim(len(names) - 0.4, -0.6)
    _family_legend(figure, told)
    sns.despine(figure)
    return figure


def possible(terms: pd.DataFrame | None, method: str) -> int:
    """Return how many of the ten most relevant terms two fits of a method can share."""
    if terms is None:
        return TOP
    own = terms[(terms["method"] == method) & (terms["kind"] == "annotated")]
    n_on = own.loc[own["active"].astype(bool)].groupby("seed").size()
    return int(min(TOP, n_on.max())) if len(n_on) else TOP


def _cell(axis: Axes, y: int, own: pd.DataFrame, score: str, color: Any, n_top: int) -> set[str]:
    """Draw one score of one method; say what is in it that the legend explains."""
    if score == SHARED:
        row = own.loc[score]
        part = (row[["r", "r_min", "r_max"]] / n_top).clip(upper=1)
        number = f"{row['r']:.1f}".removesuffix(".0")
        _bar(axis, y, part, f"{number} of {n_top}", color=color, height=0.8)
        return set()
    family = next((s for s in BY_FAMILY if s in own.index), None)
    if score != JACCARD or family is None:
        _bar(axis, y, own.loc[score], f"{own.loc[score, 'r']:.2f}", color=color, height=0.8)
        return set()
    number = f"{own.loc[score, 'r']:.2f}"
    _bar(axis, y + BAR[0], own.loc[score], number, color=color, height=BAR[1])
    place, height = FAMILY_BAR
    style = {"color": color, "height": height, "hatch": "////", "edgecolor": "white"}
    _bar(axis, y + place, own.loc[family], f"{own.loc[family, 'r']:.2f}", lw=0, **style)
    if AT_RANDOM not in own.index:
        return {"family"}
    at, reach = own.loc[AT_RANDOM, "r"], height / 2 + 0.06
    axis.vlines(at, y + place - reach, y + place + reach, color="0.15", lw=1.2, ls=":")
    return {"family", "random"}


def _bar(axis: Axes, y: float, score: pd.Series, note: str, **style: Any) -> None:
    """Draw the mean over pairs, a line from the least to the largest, and the number."""
    axis.barh(y, score["r"], **style)
    if score["r_max"] > score["r_min"]:
        axis.hlines(y, score["r_min"], score["r_max"], color="0.15", lw=1.6)
    end = score["r"] if np.isnan(score["r_max"]) else score["r_max"]
    write(axis, 0 if np.isnan(end) else end, y, note.replace("nan", "none"), pad=3)


def _family_legend(figure: Figure, told: set[str]) -> None:
    """Explain the second bar of a row, where there is one."""
    if not told:
        return
    plain, hatched = {"fc": "0.6"}, {"fc": "0.6", "hatch": "////", "ec": "white", "lw": 0}
    handles = [
        Patch(label="Jaccard index by term", **plain),
        Patch(label="by family (terms among which the data cannot decide)", **hatched),
    ]
    if "random" in told:
        label = "by as many families of the same sizes, drawn at random"
        handles.append(Line2D([], [], color="0.15", lw=1.2, ls=":", label=label))
    figure.legend(handles=handles, loc="outside lower right", ncols=3, frameon=False)

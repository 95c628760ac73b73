"""Known pairs: how well each method's term marks the cells that it must mark."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..benchmark.registry import RECOMMENDED
from ..metrics.known_pairs import OR
from .families import family_label
from .style import (
    NO_TERMS,
    Color,
    edge_color,
    method_colors,
    method_label,
    methods_in,
    separate_rows,
    set_style,
    span,
    without_data,
)

CHANCE = 0.5
PALE = "0.45"  # of what does not mark
PAIR = ["term", "label", "value"]
WIDEST = 8  # methods side by side; more would make the text too small on a screen


def plot_known_pairs(
    table: pd.DataFrame,
    labels: Mapping[str, str],
    conditions: Mapping[str, str] | None = None,
    family: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw how far terms mark the cells that they must mark: a row per pair, a column per method.

    Parameters
    ----------
    table
        The table known_pairs.csv of one data set. A bar goes from chance to the AUROC, the mean
        over seeds, a line from the least to the largest; beside it AUROC and the term's rank among
        all terms (of several seeds the median), in bold where it is the first.
    labels
        Method -> its name in figures, for all methods of the config, in order. The recommended one
        comes first.
    conditions
        Value of the condition -> its name in figures.
    family
        Term -> the others of its family, by the recommended method; they stand below its name.
    """
    set_style()
    methods, pairs = methods_in(table, labels), table[PAIR].drop_duplicates()
    if not methods:
        return without_data(NO_TERMS)
    methods.sort(key=lambda method: method != RECOMMENDED)  # stable: the others keep their order
    colors = method_colors(labels)
    rows = table.drop_duplicates(PAIR).itertuples()
    names = [_name(row, conditions or {}, family or {}) for row in rows]
    row_height = max(0.62, 0.1 + 0.15 * max(name.count("\n") + 1 for name in names))
    n_bands = -(-len(methods) // WIDEST)
    n_columns = -(-len(methods) // n_bands)
    figure, axes = plt.subplots(
        n_bands, n_columns, sharey=True, squeeze=False, layout="constrained",
        figsize=(3.4 + 1.05 * n_columns, 0.5 + n_bands * (1 + row_height * len(pairs))),
    )  # fmt: skip
    for axis in axes.flat[len(methods) :]:
        axis.remove()
    for axis, method in zip(axes.flat, methods, strict=False):
        own = table[table["method"] == method]
        for y, pair in enumerate(pairs.itertuples(index=False)):
            rows = own[(own[PAIR] == list(pair)).all(axis=1)]
            if len(rows):
                _cell(axis, y, rows, colors[method])
        axis.set_xlim(CHANCE, 1)
        axis.set_xticks([CHANCE, 1], [f"{CHANCE:g}", "1"])
        for tick, side in zip(axis.get_xticklabels(), ("left", "right"), strict=True):
            tick.set_ha(side)  # inside the column
        axis.tick_params(axis="y", length=0)
        weight = "bold" if method == RECOMMENDED else "normal"
        title = textwrap.fill(method_label(method, labels), 12)
        axis.set_title(title, fontsize=9, fontweight=weight)
        separate_rows(axis, len(pairs))
    axes[0, 0].set_yticks(range(len(names)), names)
    n_terms = span(table["n_terms"].min(), table["n_terms"].max())
    figure.supxlabel(
        f"AUROC of the term, these cells against all others (0.5 chance, 1 perfect); then its rank "
        f"among {n_terms} terms", fontsize=10,
    )  # fmt: skip
    sns.despine(figure, left=True)
    return figure


def _cell(axis: Axes, y: int, rows: pd.DataFrame, color: Color) -> None:
    """Draw one pair of one method, a row of the table per seed."""
    axis.barh(y, 1 - CHANCE, left=CHANCE, height=0.62, color="0.95", zorder=0)
    scores = rows["auroc"].dropna()
    if scores.empty:
        note, style = "\N{EN DASH}", {"color": PALE}
    elif not (on := rows["active"].astype(bool).any()) and (scores == CHANCE).all():
        note, style = "off", {"color": PALE}
    else:
        mean, rank = scores.mean(), int(rows["rank"].median())
        axis.barh(y, max(0.0, mean - CHANCE), left=CHANCE, height=0.62, color=color, alpha=0.45)
        if scores.max() > max(scores.min(), CHANCE):
            low = max(CHANCE, scores.min())
            axis.hlines(y + 0.24, low, scores.max(), color=edge_color(color), lw=1.6)
        note = f"{mean:.2f}  {ordinal(rank)}"
        style = {"fontweight": "bold" if rank == 1 else "normal"}
        style["color"] = "black" if mean > CHANCE else PALE
        style["fontstyle"] = "normal" if on else "italic"  # off, but read
    axis.text(CHANCE + 0.02, y, note, va="center", fontsize=8.5, **style)


def _name(row: Any, conditions: Mapping[str, str], family: Mapping[str, Sequence[str]]) -> str:
    """Name the term and the cells that it must mark, and say where there is no score."""
    values = str(row.value).split(OR)
    if row.label == "condition":
        values = [conditions.get(value, value) for value in values]
    cells = f"must mark {', '.join(values)} ({row.n_cells:,} cells)"
    if not row.kept:
        cells += "; the set was dropped when the data were prepared"
    return f"{family_label(row.term, family, 42)}\n{textwrap.fill(cells, 48)}"


def ordinal(number: int) -> str:
    """Write a rank: 1st, 2nd, 3rd, 4th, 11th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"

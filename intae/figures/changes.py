"""How many genes a method added to its gene sets and removed, with the counts of other seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

MINUS = "\N{MINUS SIGN}"
# what was done -> side of the axis, colour, sign before the number
CHANGES = {"added": (1, "#0173B2", "+"), "removed": (-1, "#D55E00", MINUS)}
DOTS = {"s": 16, "facecolor": "white", "edgecolor": "0.2", "lw": 0.9, "zorder": 3}


def count_genes(genes: object) -> int:
    """Count the genes in a list of names, which is empty where a table has none."""
    return len(str(genes).split()) if isinstance(genes, str) else 0


def with_counts(terms: pd.DataFrame) -> pd.DataFrame:
    """Add to rows of terms.csv the numbers of genes added and removed."""
    return terms.assign(**{c: terms[f"genes_{c}"].map(count_genes) for c in CHANGES})


def changed_in_all(lists: Iterable[object]) -> set[str]:
    """Return the genes that every one of these lists of names holds; none without a list."""
    sets = [set(genes.split()) if isinstance(genes, str) else set() for genes in lists]
    return set.intersection(*sets) if sets else set()


def other_seeds_handle() -> Line2D:
    """Return what a legend shows for the dots."""
    label = "other seeds (in brackets: their numbers)"
    return Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec="0.2", label=label)


def draw_changes(
    axis: Axes,
    y: Sequence[float],
    first: pd.DataFrame,
    others: pd.DataFrame,
    height: float = 0.8,
) -> None:
    """Draw removed genes to the left and added ones to the right, with their numbers.

    Parameters
    ----------
    axis
        Where to draw.
    y
        Height of each term's row.
    first, others
        Rows of terms.csv with counts (:func:`with_counts`): of the seed that is drawn as bars, in
        the order of `y`, and of the other seeds, drawn as dots and written in brackets.
    height
        Of the bars.
    """
    names, reach = list(first["term"]), {"added": 0.0, "removed": 0.0}
    others = others[others["term"].isin(names)]
    for change, (side, color, sign) in CHANGES.items():
        axis.barh(y, side * first[change], height=height, color=color)
        for position, term, count in zip(y, names, first[change], strict=True):
            theirs = others.loc[others["term"] == term, change]
            if not count and not theirs.any():
                continue
            axis.scatter(side * theirs, [position] * len(theirs), **DOTS)
            end = max([count, *theirs])
            number = f"{sign if count else ''}{count}{_range(theirs)}"
            write(axis, position, side * end, number, left=side < 0)
            reach[change] = max(reach[change], end)
    axis.axvline(0, color="0.2", lw=0.8)
    if not first[list(CHANGES)].to_numpy().any():
        axis.text(0.5, 0.5, "none of these\nwas changed", ha="center", va="center", color="0.4",
                  fontsize=9, transform=axis.transAxes, backgroundcolor="white")  # fmt: skip
    most = max(*reach.values(), 1)
    n_others = others.groupby("term").size().max() if len(others) else 0
    room = (0.3, 0.65, 0.95)[min(n_others, 2)] * most  # for the numbers
    low, high = (max(reach[change], 0.25 * most) + room for change in ("removed", "added"))
    axis.set_xlim(-low, high)
    axis.set_xticks([])
    for change, (side, color, _) in CHANGES.items():  # each word on its side of zero
        axis.annotate(
            f"genes {change}", (0, 0), xycoords=("data", "axes fraction"), xytext=(5 * side, -7),
            textcoords="offset points", ha="right" if side < 0 else "left", va="top",
            fontsize=10, color=color,
        )  # fmt: skip


def write(axis: Axes, y: float, end: float, text: str, *, left: bool = False) -> None:
    """Write a number beside the end of a bar, to the left or to the right of it."""
    axis.annotate(
        text, (end, y), fontsize=7.5, xytext=(-5 if left else 5, 0), textcoords="offset points",
        va="center", ha="right" if left else "left",
    )  # fmt: skip


def _range(counts: pd.Series) -> str:
    """Write the counts of other seeds in brackets."""
    if counts.empty:
        return ""
    low, high = counts.min(), counts.max()
    return f" ({low})" if low == high else f" ({low} to {high})"

"""What the most relevant terms are needed for, and what would stand in for them, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ..prepared import split_terms
from .style import method_colors, method_label, readable, set_style, without_data

REPLACEABLE = 5  # %: a term of which others take over all but this is marked
BETTER = 1e-3  # of F + R: falls by more than this without a term are said
COUNTS = 1e-3  # of F + R: what rises by less without a term has no share worth telling
ALIKE = 0.5  # |r|: a stand-in below this gives other loadings than the lost term
LINES = 0.2  # inches a line of text


def plot_necessity(necessity: pd.DataFrame, labels: Mapping[str, str], n_terms: int = 20) -> Figure:
    """Draw what F + R rises by without each term, before and after the others take over.

    Parameters
    ----------
    necessity
        The table necessity.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    n_terms
        Number of terms, the most relevant first.
    """
    set_style()
    colors = method_colors(labels)
    methods = [m for m in labels if m in set(necessity["method"])]
    if not methods:
        return without_data("no term of these fits is on, so none is needed")
    tables = [_first_seed(necessity, m).nlargest(n_terms, "relevance") for m in methods]
    notes = [[stand_in_note(row) for row in table.itertuples()] for table in tables]
    names = [[readable(term, 44) for term in table["term"]] for table in tables]
    heights = [_height(*pair) for pair in zip(names, notes, strict=True)]
    figure, axes = plt.subplots(
        len(methods), 1, figsize=(13, 1.2 * len(methods) + sum(heights)), squeeze=False,
        height_ratios=heights, layout="constrained",
    )  # fmt: skip
    for axis, method, table, said, terms in zip(
        axes.flat, methods, tables, notes, names, strict=True
    ):
        lines = [1 + max(a.count("\n"), b.count("\n")) for a, b in zip(terms, said, strict=True)]
        y = np.cumsum(lines) - np.array(lines) / 2
        thick = 0.7 * np.array(lines).clip(max=1.5)
        scale = 100 * table["share"] / table["necessity"]  # 100 / (F + R)
        carried = table["carried"] * scale
        axis.barh(y, carried, thick, color="0.85", label="at once, the others as they were")
        axis.barh(
            y, (table["necessity"] * scale).clip(0), thick, color=colors[method],
            label="after the others were refitted: the term's necessity",
        )  # fmt: skip
        axis.set_yticks(y, terms, fontsize=8)
        axis.set_ylim(sum(lines) + 0.3, -0.3)
        right = 1.04 * carried.max()
        axis.set_xlim(0, right)
        for position, note, row in zip(y, said, table.itertuples(), strict=True):
            replaceable = _counts(row) and _irreplaceable(row) <= REPLACEABLE
            axis.annotate(
                note, (right, position), xytext=(8, 0), textcoords="offset points", va="center",
                fontsize=8, annotation_clip=False, color="#A04000" if replaceable else "0.2",
            )  # fmt: skip
        axis.set_title(method_label(method, labels), loc="left")
        axis.set_xlabel("rise of F + R without the term, % of F + R")
        axis.legend(loc="lower right", frameon=True)
    sns.despine(figure)
    return figure


def stand_in_note(row) -> str:
    """Say in words what happens without a term, from a row of necessity.csv."""
    stand_ins = split_terms(row.stand_ins)
    percent = _irreplaceable(row)
    kept = f"{percent}% irreplaceable" if percent else "wholly replaceable"
    if row.share < -BETTER:
        kept = "better without it"
    elif not _counts(row):
        kept = f"hardly counts (rise {100 * _rise(row):.2f}%)"
    if not stand_ins:
        return f"{kept}; no term in particular takes its place"
    first = stand_ins[0].replace("_", " ")
    does = "takes its place"
    if row.stand_in_r < ALIKE:
        does = "grows most but gives other loadings"
    holds = f"|r| {row.stand_in_r:.2f}"
    if row.stand_in_holds == 1:
        holds += ", holds all its genes"
    elif not pd.isna(row.stand_in_holds):
        holds += f", holds {100 * row.stand_in_holds:.0f}% of its genes"
    more = f"; {len(stand_ins) - 1} more" if len(stand_ins) > 1 else ""
    return readable(f"{kept}: {first} {does} ({holds}{more})", 74)


def _irreplaceable(row) -> int:
    """Return the share of a term that nothing replaces, in whole per cent: as printed."""
    return round(100 * max(0.0, row.irreplaceable))


def _rise(row) -> float:
    """Return what F + R rises by at once without a term, before a refit, as a share of F + R."""
    return row.carried * row.share / row.necessity


def _counts(row) -> bool:
    return not _rise(row) < COUNTS


def _first_seed(table: pd.DataFrame, method: str) -> pd.DataFrame:
    own = table[table["method"] == method]
    return own[own["seed"] == own["seed"].iloc[0]]


def _height(names: list[str], notes: list[str]) -> float:
    lines = sum(1 + max(a.count("\n"), b.count("\n")) for a, b in zip(names, notes, strict=True))
    return 0.6 + LINES * max(lines, 3)

"""One method's terms: their relevance, and what it changed in their gene sets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .changes import (
    CHANGES,
    DOTS,
    MINUS,
    changed_in_all,
    draw_changes,
    other_seeds_handle,
    with_counts,
    write,
)
from .style import Color, expected_legend, mark_expected, readable, set_style, without_data
from .terms import RELEVANCE

N_NAMES = 8  # genes named at most, added or removed, a term


def plot_relevance(
    terms: pd.DataFrame,
    title: str,
    model: str,
    color: Color,
    n_terms: int = 20,
    expected: Sequence[str] = (),
) -> Figure:
    """Draw the most relevant terms of a method, with the sizes of their sets and the changes.

    Parameters
    ----------
    terms
        The rows of terms.csv of one data set and method. Of several seeds the first is drawn as
        bars, those of the others in which a term is on as dots.
    title, model, color
        The method's name in figures, the class of its model, and its colour.
    n_terms
        Number of terms.
    expected
        Terms to mark.
    """
    set_style()
    if terms.empty:
        return without_data(f"{title} has not finished its fit")
    terms = with_counts(terms[(terms["kind"] == "annotated") & terms["active"]])
    first = terms[terms["seed"] == _first_seed(terms)].nsmallest(n_terms, "rank")
    if first.empty:
        return without_data(f"{title} has switched every term off")
    names = list(first["term"])
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(11.5, 0.3 * len(names) + 1.5), sharey=True, layout="constrained",
        width_ratios=[3, 1.3, 2],
    )  # fmt: skip
    y = range(len(names))
    left.barh(y, first["relevance"], color=color)
    others = terms[(terms["seed"] != _first_seed(terms)) & terms["term"].isin(names)]
    if len(others):
        left.scatter(others["relevance"], others["term"].map(names.index), **DOTS)
        figure.legend(handles=[other_seeds_handle()], loc="outside lower left", frameon=False)
    left.set_xlabel(RELEVANCE.get(model, "relevance"))
    left.set_title(title, loc="left")
    middle.barh(y, first["n_genes"], color="0.6")
    for position, count in zip(y, first["n_genes"], strict=True):
        write(middle, position, count, str(count))
    middle.set_xlabel("genes in the set")
    draw_changes(right, y, first, others)
    _name_terms(left, names, expected)
    expected_legend(figure, names, expected)
    sns.despine(figure)
    left.set_ylim(len(names) - 0.4, -0.6)
    for axis in (middle, right):
        axis.tick_params(axis="y", length=0)
    right.spines["left"].set_visible(False)
    return figure


def plot_corrections(
    corrections: pd.DataFrame,
    terms: pd.DataFrame,
    title: str,
    n_terms: int = 20,
    expected: Sequence[str] = (),
) -> Figure:
    """Draw how many genes a method added to its terms and removed, and name the first of them.

    Parameters
    ----------
    corrections, terms
        The rows of corrections.csv and terms.csv of one data set and method. Of several seeds the
        first is drawn, the others' numbers as dots; genes that they all change have an asterisk.
    title
        The method's name in figures.
    n_terms
        Number of terms: the most relevant ones that were changed.
    expected
        Terms to mark.
    """
    set_style()
    if terms.empty:
        return without_data(f"{title} has not finished its fit")
    seed = _first_seed(terms)
    everywhere = with_counts(terms[(terms["kind"] == "annotated") & terms["active"]])
    first = everywhere["seed"] == seed
    terms, others = everywhere[first], everywhere[~first]
    altered = terms[(terms["added"] > 0) | (terms["removed"] > 0)]
    shown = altered.nsmallest(n_terms, "rank")
    if shown.empty:
        return without_data(f"{title} changed none of its {len(terms)} active gene sets")
    names, listed = list(shown["term"]), corrections[corrections["seed"] == seed]
    lists = {
        change: [
            _gene_names(
                listed[(listed["term"] == term) & (listed["change"] == change)],
                count,
                changed_in_all(others.loc[others["term"] == term, f"genes_{change}"]),
            )
            for term, count in zip(names, shown[change], strict=True)
        ]
        for change in ("removed", "added")
    }
    rows = [max(x.count("\n"), z.count("\n")) + 1 for x, z in zip(*lists.values(), strict=True)]
    tops = pd.Series([max(2, r) for r in rows]).cumsum().shift(fill_value=0)
    y = [top + max(2, r) / 2 for top, r in zip(tops, rows, strict=True)]
    height = sum(max(2, r) for r in rows)
    widths = [_width(lists["removed"]), 3.4 if len(others) else 2.6, _width(lists["added"])]
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(3.2 + sum(widths), 0.16 * height + 1.6), sharey=True,
        width_ratios=widths, layout="constrained",
    )  # fmt: skip
    draw_changes(middle, y, shown, others, height=1.3)
    if others["term"].isin(names).any():
        figure.legend(handles=[other_seeds_handle()], loc="outside lower left", frameon=False)
    for axis, change, x, side in ((left, "removed", 1, "right"), (right, "added", 0, "left")):
        for position, text in zip(y, lists[change], strict=True):
            axis.text(
                x, position, text, ha=side, va="center", fontsize=7.5,
                transform=axis.get_yaxis_transform(),
            )  # fmt: skip
        axis.set_xticks([])
        axis.set_xlim(0, 1)
        if any(lists[change]):
            axis.set_title(f"genes {change}", loc=side, fontsize=10, color=CHANGES[change][1])
    figure.suptitle(
        f"{title}: {len(altered)} of {len(terms)} active gene sets changed", fontsize=11
    )
    left.set_yticks(y)
    _name_terms(left, names, expected, ticks=y)
    left.set_ylim(height, 0)
    expected_legend(figure, names, expected)
    sns.despine(figure)
    for axis in (left, middle, right):
        for top in tops[1:]:
            axis.axhline(top, color="0.9", lw=0.7, zorder=0)
        axis.spines[["left", "bottom"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    return figure


def _first_seed(table: pd.DataFrame) -> int:
    return table["seed"].iloc[0] if len(table) else 0


def _name_terms(
    axis: Axes, names: Sequence[str], expected: Sequence[str], ticks: Sequence[float] | None = None
) -> None:
    ticks = range(len(names)) if ticks is None else ticks
    axis.set_yticks(ticks, [readable(name, 44) for name in names], fontsize=8)
    mark_expected(axis, names, expected)
    if not axis.yaxis_inverted():
        axis.invert_yaxis()


def _width(texts: Iterable[str]) -> float:
    """Return the inches that a column of names needs, its heading included."""
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    return max(1.1, 0.07 * longest) if longest else 0.1


def _gene_names(listed: pd.DataFrame, count: int, in_all: set[str]) -> str:
    """Name the first of the genes changed in a term.

    A minus where the weight is negative, an asterisk where all other seeds change the gene as well.
    """
    shown = listed.head(N_NAMES)
    negative = (shown["weight"] < 0) & (shown["change"] == "added")
    signs = [MINUS if below else "" for below in negative]
    marks = ["*" if gene in in_all else "" for gene in shown["gene"]]
    text = ", ".join(map("".join, zip(signs, shown["gene"], marks, strict=True)))
    if count > len(shown):
        text += f" and {count - len(shown)} more"
    # lines break between genes only
    return "\n".join(textwrap.wrap(text, 52, break_long_words=False, break_on_hyphens=False))

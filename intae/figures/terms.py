"""The terms that matter to each method, and what one method changed in their gene sets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .families import expected_in, family_label, members_of, one_line_each
from .style import (
    NO_TERMS,
    Color,
    expected_legend,
    first_seed,
    mark_expected,
    method_colors,
    method_label,
    methods_in,
    readable,
    say,
    set_style,
    span,
    without_data,
    write,
)

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
        Rows of terms.csv with counts (see `with_counts`): of the seed that is drawn as bars, in
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
            number = f"{sign if count else ''}{count}"
            if len(theirs):
                number += f" ({span(theirs.min(), theirs.max())})"
            style = {"pad": 5 * side, "ha": "right" if side < 0 else "left"}
            write(axis, side * end, position, number, size=7.5, **style)
            reach[change] = max(reach[change], end)
    axis.axvline(0, color="0.2", lw=0.8)
    if not first[list(CHANGES)].to_numpy().any():
        say(axis, "none of these\nwas changed", fontsize=9, backgroundcolor="white")
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


RELEVANCE = {
    "Autoencoder": "norm of the term's weights",
    "FSCLVM": "relevance (1 / ARD precision)",
    "GeneSetScore": "standard deviation of the score",
    "Slalom": "relevance (1 / ARD precision)",
}


def plot_top_terms(
    terms: pd.DataFrame,
    labels: Mapping[str, str],
    models: Mapping[str, str],
    n_terms: int = 20,
    expected: Sequence[str] = (),
) -> Figure:
    """Draw each method's most relevant terms, one panel per method and one line per family.

    Parameters
    ----------
    terms
        The table terms.csv of one data set. Of several seeds the mean is drawn, with a line from
        the least to the largest and the number of seeds that have the term among their first. Of a
        family its most relevant term is drawn, by the family's name; the other members stand below.
    labels, models
        Method -> its name in figures, and the class of its model.
    n_terms
        Number of terms per panel.
    expected
        Terms to mark.
    """
    set_style()
    # The numbers of terms without annotation mean nothing from one seed to the next.
    several = terms.groupby("method")["seed"].transform("nunique") > 1
    terms = terms[~several | (terms["kind"] == "annotated")]
    methods = methods_in(terms[terms["kind"] == "annotated"], labels)
    if not methods:
        return without_data(NO_TERMS)
    colors, columns = method_colors(labels), min(2, len(methods))
    rows = -(-len(methods) // columns)
    parts, members = {}, {}
    for method in methods:
        own = terms[terms["method"] == method]
        members[method] = members_of(own)
        parts[method] = _over_seeds(one_line_each(own, members[method]), n_terms)
    # two columns of panels leave a term one line; its name is never cut
    names = {m: [family_label(t, members[m], 60) for t in parts[m].index] for m in methods}
    height = max(max(0.34 * len(part), _lines_high(names[m])) for m, part in parts.items())
    figure, axes = plt.subplots(
        rows, columns, figsize=(7.6 * columns, rows * (max(0.34, height) + 1.2)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes.flat, methods, strict=False):
        part, lines = parts[method], names[method]
        axis.set_title(method_label(method, labels), loc="left")
        if part.empty:
            say(axis, "every term is off", va="baseline", color="0.15")
            axis.set(xticks=[], yticks=[])
            continue
        axis.barh(range(len(part)), part["mean"], color=colors[method])
        axis.set_yticks(range(len(part)), lines)
        if (part["n_seeds"] > 1).any():
            axis.hlines(range(len(part)), part["min"], part["max"], color="0.15", lw=1.4)
            for y, row in enumerate(part.itertuples()):
                write(axis, row.max, y, f"{row.n_top} of {row.n_seeds}", size=7)
            axis.margins(x=0.12)
        else:
            own = terms[(terms["method"] == method) & terms["active"]].set_index("term")
            _tick_members(axis, part.index, members[method], own["relevance"])
        axis.invert_yaxis()
        mark_expected(axis, part.index, expected_in(part.index, members[method], expected))
        axis.tick_params(axis="y", labelsize=8)
        axis.set_xlabel(RELEVANCE.get(models[method], "relevance"))
    for axis in axes.flat[len(methods) :]:
        axis.set_visible(False)
    expected_legend(figure, terms["term"], expected)
    sns.despine(figure)
    return figure


def _tick_members(
    axis: Axes,
    names: Sequence[str],
    members: Mapping[str, Sequence[str]],
    relevance: pd.Series,
) -> None:
    """Mark the relevance of the other members of each line's family that are on."""
    for y, name in enumerate(names):
        others = relevance.reindex(members.get(name, ())).dropna()
        if len(others):
            axis.vlines(others, y - 0.4, y + 0.4, color="0.15", lw=1.4)


def _lines_high(names: Sequence[str]) -> float:
    """Return the inches that rows of equal height need, for the longest of these names."""
    return len(names) * (0.08 + 0.13 * max((n.count("\n") + 1 for n in names), default=1))


def _over_seeds(terms: pd.DataFrame, n_terms: int) -> pd.DataFrame:
    """Summarise the most relevant terms of a method over its seeds, one row per term, in order.

    Columns: mean, min and max of the relevance; in how many of n_seeds the term is active and
    among the n_terms most relevant (n_top).
    """
    by_term = terms.groupby("term", sort=False)
    table = by_term["relevance"].agg(["mean", "min", "max"])
    table["n_seeds"] = terms["seed"].nunique()
    top = terms["active"] & (terms["rank"] <= n_terms)
    table["n_top"] = top.groupby(terms["term"]).sum()
    on = terms["active"].groupby(terms["term"]).any()
    return table[on.reindex(table.index)].nlargest(n_terms, "mean")


N_NAMES = 8  # genes named at most per term, of those added and of those removed


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
        bars, those of the others in which a term is on as dots. A family has one line: its most
        relevant term, the other members below its name, and a tick for each of them that is on.
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
    members = members_of(terms)
    terms = with_counts(terms[(terms["kind"] == "annotated") & terms["active"]])
    seed = first_seed(terms)
    relevance = terms[terms["seed"] == seed].set_index("term")["relevance"]
    terms = one_line_each(terms, members)
    drawn = terms["seed"] == seed
    first = terms[drawn].nsmallest(n_terms, "rank")
    if first.empty:
        return without_data(f"{title} has switched every term off")
    names = list(first["term"])
    labels = [family_label(name, members, 48) for name in names]
    height = max(0.3 * len(names), _lines_high(labels))
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(11.5, height + 1.5), sharey=True, layout="constrained",
        width_ratios=[3, 1.3, 2],
    )  # fmt: skip
    y = range(len(names))
    left.barh(y, first["relevance"], color=color)
    _tick_members(left, names, members, relevance)
    others = terms[~drawn & terms["term"].isin(names)]
    if len(others):
        left.scatter(others["relevance"], others["term"].map(names.index), **DOTS)
        figure.legend(handles=[other_seeds_handle()], loc="outside lower left", frameon=False)
    left.set_xlabel(RELEVANCE.get(model, "relevance"))
    left.set_title(title, loc="left")
    middle.barh(y, first["n_genes"], color="0.6")
    for position, count in zip(y, first["n_genes"], strict=True):
        write(middle, count, position, str(count), pad=5, size=7.5)
    middle.set_xlabel("genes in the set")
    draw_changes(right, y, first, others)
    expected = expected_in(names, members, expected)
    _name_terms(left, names, expected, labels=labels)
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
    seed = first_seed(terms)
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


def _name_terms(
    axis: Axes,
    names: Sequence[str],
    expected: Sequence[str],
    *,
    ticks: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
) -> None:
    ticks = range(len(names)) if ticks is None else ticks
    labels = [readable(name, 44) for name in names] if labels is None else labels
    axis.set_yticks(ticks, labels, fontsize=8)
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

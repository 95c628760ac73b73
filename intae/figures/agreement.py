"""How far methods agree: every two, and term by term with one of them.

The other seeds of a method give these numbers their scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..metrics.agreement import over_pairs
from .style import (
    Color,
    expected_legend,
    first_seed,
    mark_expected,
    method_colors,
    method_label,
    plural,
    readable,
    set_style,
    without_data,
    write,
    write_readably,
)

ONE_METHOD = "fewer than two methods with gene sets have finished their fits"
NUMBERS = ("median_r", "n_terms", "share_top", "shared_top", "n_top", "median_r_top")
ONE_FIT = "one fit"


def plot_agreement(
    agreement: pd.DataFrame, labels: Mapping[str, str], methods: Sequence[str]
) -> Figure:
    """Draw the agreement of every two methods: on loadings (left), on which terms matter (right).

    The mean over all pairs of their seeds, and the least and the largest where there are several.
    The diagonal compares two seeds of one method; it is framed.

    Parameters
    ----------
    agreement
        The table agreement.csv of one data set.
    labels
        Method -> its name in figures, in order.
    methods
        The methods to show; those that are not in the table are left out.
    """
    set_style()
    known = set(agreement["method_a"]) | set(agreement["method_b"])
    methods = [m for m in labels if m in methods and m in known]
    if len(methods) < 2:
        return without_data(ONE_METHOD)
    table = _over_pairs(agreement)
    stacked = len(methods) > 4  # side by side, more would be too small to read
    size = 0.94 * len(methods) + 0.4
    figure, axes = plt.subplots(
        *((2, 1) if stacked else (1, 2)), layout="constrained",
        figsize=(size + 3.0, 2 * size + 5) if stacked else (2 * size + 3.4, size + 2.6),
    )  # fmt: skip
    _heat(axes[0], table, methods, "median_r", _about_all, "median |correlation| of loadings")
    _heat(axes[1], table, methods, "share_top", _about_top, "share of the top terms in common")
    n_top = int(np.nan_to_num(agreement["n_top"].max()))
    framed = "framed: two seeds of one method"
    axes[0].set_title(f"all terms active in both\n{framed}", fontsize=10)
    axes[1].set_title(f"the {n_top} most relevant terms of each\n{framed}", fontsize=10)
    unnamed = _without_terms(agreement)
    names = [
        f"{method_label(m, labels)}{' (best component)' if m in unnamed else ''}" for m in methods
    ]
    for axis in axes:
        axis.set_xticks(np.arange(len(methods)) + 0.5, names)
        plt.setp(axis.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0)
        axis.set_yticks([])
    for axis in axes if stacked else axes[:1]:
        axis.set_yticks(np.arange(len(methods)) + 0.5, names, rotation=0)
    return figure


def _over_pairs(agreement: pd.DataFrame) -> pd.DataFrame:
    """Summarise over pairs of seeds: (method, method), both ways -> (number, mean, min or max)."""
    table = agreement.copy()
    table["share_top"] = table["shared_top"] / table["n_top"].where(table["n_top"] > 0)
    turned = table.rename(columns={"method_a": "method_b", "method_b": "method_a"})
    both = pd.concat([table, turned[turned["method_a"] != turned["method_b"]]])
    return both.groupby(["method_a", "method_b"])[list(NUMBERS)].agg(["mean", "min", "max"])


def _without_terms(agreement: pd.DataFrame) -> set[str]:
    """Return the methods that are paired by component with every other one."""
    pairs = agreement[["method_a", "method_b"]]
    by_term = set(pairs[agreement["matched"] == "term"].to_numpy().ravel())
    return set(pairs.to_numpy().ravel()) - by_term if by_term else set()


def _about_all(row: pd.Series) -> str:
    r, n = row["median_r"], row["n_terms"]
    return f"{r['mean']:.2f}{_range(r, '.2f')}\n({n['mean']:.0f} terms)"


def _about_top(row: pd.Series) -> str:
    shared, n, r = row["shared_top"], row["n_top"], row["median_r_top"]
    note = f"{_short(shared['mean'])} of {_short(n['mean'])}{_range(shared, '.0f')}"
    return note if pd.isna(r["mean"]) else f"{note}\n|r| {r['mean']:.2f}"


def _range(values: pd.Series, form: str) -> str:
    """Write the least and the largest on a line of their own, where they differ as written."""
    low, high = (f"{values[end]:{form}}" for end in ("min", "max"))
    return "" if low == high else f"\n{low} to {high}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _heat(
    axis: Axes,
    table: pd.DataFrame,
    methods: Sequence[str],
    column: str,
    note: Callable[[pd.Series], str],
    title: str,
) -> None:
    """Draw the lower half of one matrix and its diagonal, in colour and in words."""
    n = len(methods)
    values, notes = np.full((n, n), np.nan), np.full((n, n), "", dtype=object)
    for i, a in enumerate(methods):
        for j, b in enumerate(methods[: i + 1]):
            notes[i, j] = ONE_FIT if i == j else "\N{EN DASH}"
            if (a, b) in table.index and pd.notna(table.loc[(a, b), (column, "mean")]):
                values[i, j] = table.loc[(a, b), (column, "mean")]
                notes[i, j] = note(table.loc[(a, b)])
    sns.heatmap(
        values, vmin=0, vmax=1, cmap="viridis", annot=notes, fmt="", annot_kws={"fontsize": 7.5},
        square=True, ax=axis, linewidths=1, linecolor="white",
        cbar_kws={"label": title, "location": "bottom", "shrink": 0.6, "aspect": 30},
    )  # fmt: skip
    write_readably(axis)
    for i, j in zip(*np.nonzero(np.isnan(values) & (notes != "")), strict=True):
        axis.text(
            j + 0.5, i + 0.5, notes[i, j], ha="center", va="center", color="0.5", fontsize=7.5
        )
    for i in range(n):
        axis.add_patch(
            Rectangle((i + 0.02, i + 0.02), 0.96, 0.96, fill=False, ec="0.1", lw=1.4, zorder=3)
        )


def plot_correlation_bars(
    correlation: pd.DataFrame,
    seeds: pd.DataFrame,
    labels: Mapping[str, str],
    reference: str,
    others: Sequence[str],
    n_terms: int = 20,
    expected: Sequence[str] = (),
    *,
    terms: pd.DataFrame,
) -> Figure:
    """Draw |r| of loadings with the reference's, its most relevant terms in order: the talk's bars.

    Bars are medians over the pairs of seeds, lines run from the least to the largest. The first
    panel compares the reference with itself from other seeds, where it has several: a term that
    changes there has no one meaning that another method could agree with.

    Parameters
    ----------
    correlation
        The table correlation.csv of one data set.
    seeds
        The table correlation_seeds.csv of the data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    reference
        The method whose terms are shown; the first of the table, where it is not in it.
    others
        The methods to compare it with, one panel each; all, where none of them is in the table.
    n_terms
        Number of terms.
    expected
        Terms to mark.
    terms
        The table terms.csv, for the reference's terms in their order in its first seed.
    """
    set_style()
    if correlation.empty:
        return without_data(ONE_METHOD)
    known = list(dict.fromkeys(correlation[["method_a", "method_b"]].to_numpy().ravel()))
    reference = reference if reference in known else known[0]
    order = _most_relevant(terms, reference, n_terms)
    if not order:
        return without_data(f"no gene set of {method_label(reference, labels)} is on")
    known = [m for m in known if m != reference]
    others = [m for m in others if m in known] or known
    tables = {m: over_pairs(seeds, reference, m).reindex(order) for m in (reference, *others)}
    panels = [m for m, table in tables.items() if table["n_pairs"].notna().any()]
    if not panels:
        return without_data(f"no other method has these terms of {method_label(reference, labels)}")
    colors = method_colors(labels)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4.6 + 2.5 * len(panels), 0.3 * len(order) + 1.9), sharey=True,
        sharex=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes.flat, panels, strict=True):
        title = method_label(method, labels)
        title = f"{title} itself, other seeds" if method == reference else title
        _draw(axis, tables[method], title, colors[method])
    first = axes.flat[0]
    first.set_yticks(range(len(order)), [readable(term, 60) for term in order], fontsize=8)
    mark_expected(first, order, expected)
    first.set_ylim(len(order) - 0.5, -0.5)
    first.set_ylabel(f"most relevant to {method_label(reference, labels)}, in order")
    expected_legend(figure, order, expected)
    sns.despine(figure)
    return figure


def _most_relevant(terms: pd.DataFrame, method: str, n_terms: int) -> list[str]:
    """Return the active gene sets of a method's first seed, the most relevant first."""
    own = terms[(terms["method"] == method) & (terms["kind"] == "annotated")]
    own = own[(own["seed"] == first_seed(own)) & own["active"].astype(bool)]
    return list(own.nsmallest(n_terms, "rank")["term"])


def _draw(axis: Axes, table: pd.DataFrame, title: str, color: Color) -> None:
    """Draw one panel: bar, line and number of each term, and the median over terms."""
    y = np.arange(len(table))
    axis.barh(y, table["median"].fillna(0), color=color)
    axis.hlines(y, table["min"], table["max"], color="0.15", lw=1.6)
    for k, row in enumerate(table.itertuples()):
        on = row.n_on > 0
        note = f"{row.median:.2f}" if on else "off"
        if on and row.n_on < row.n_pairs:
            note += f" ({row.n_on:.0f} of {row.n_pairs:.0f})"
        write(
            axis, row.max if on else 0, k, note, pad=3, size=7.5, color="0.1" if on else "0.4",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    n_on, n_pairs = int((table["n_on"] > 0).sum()), int(table["n_pairs"].max())
    median = table["median"].median()
    note = f"median {median:.2f}, {n_on} of {len(table)} on" if n_on else "none is on"
    axis.set_title(f"{title}\n{note}\n{plural(n_pairs, 'pair')} of seeds", loc="left", fontsize=10)
    if n_on:
        axis.axvline(median, color="0.3", ls="--", lw=1, zorder=1.5)  # below the numbers
    axis.set_xlim(0, 1.32)  # room for the numbers
    axis.set_xticks([0, 0.5, 1])
    axis.set_xlabel("|correlation| of loadings")

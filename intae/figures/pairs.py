"""How far all methods agree with all, and each with itself from another seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import method_label, set_style, without_data

ONE_METHOD = "fewer than two methods with gene sets have finished their fits"
NUMBERS = ("median_r", "n_terms", "share_top", "shared_top", "n_top", "median_r_top")
ONE_FIT = "one fit"


def with_reference(
    correlation: pd.DataFrame, reference: str, n_terms: int
) -> tuple[str, pd.DataFrame]:
    """Take from a table of pairs those with one method, for its most relevant terms.

    Parameters
    ----------
    correlation
        The table correlation.csv of one data set, not empty.
    reference
        The method; the first of the table is taken, where this one is not in it.
    n_terms
        Number of terms.

    Returns
    -------
    The method, and the rows of its pairs, the most relevant term first; `method` is the other one.
    """
    if reference not in correlation[["method_a", "method_b"]].to_numpy():
        reference = correlation["method_a"].iloc[0]
    a, b = correlation["method_a"], correlation["method_b"]
    pairs = correlation.assign(method=a.where(a != reference, b))
    pairs = pairs[((a == reference) | (b == reference)) & (pairs["relevance_rank"] <= n_terms)]
    return reference, pairs.sort_values("relevance_rank", kind="stable")


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
    stacked = len(methods) > 7  # side by side, many methods would be too small to read
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
    for i, j in zip(*np.nonzero(np.isnan(values) & (notes != "")), strict=True):
        axis.text(
            j + 0.5, i + 0.5, notes[i, j], ha="center", va="center", color="0.5", fontsize=7.5
        )
    for i in range(n):
        axis.add_patch(
            Rectangle((i + 0.02, i + 0.02), 0.96, 0.96, fill=False, ec="0.1", lw=1.4, zorder=3)
        )

"""How far two methods agree: term by term, and all methods with all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import (
    expected_legend,
    mark_expected,
    method_colors,
    method_label,
    readable,
    set_style,
    without_data,
)

ONE_METHOD = "fewer than two methods with gene sets have finished their fits"


def plot_correlation_bars(
    correlation: pd.DataFrame,
    labels: Mapping[str, str],
    reference: str,
    others: Sequence[str],
    n_terms: int = 20,
    expected: Sequence[str] = (),
) -> Figure:
    """Draw |r| of loadings with the reference's, its most relevant terms in order: the talk's bars.

    Parameters
    ----------
    correlation
        The table correlation.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    reference
        The method whose terms are shown; the first of the table, where it is not in it.
    others
        The methods to compare it with, a panel each; all, where none of them is in the table.
    n_terms
        Number of terms.
    expected
        Terms to mark.
    """
    set_style()
    if correlation.empty:
        return without_data(ONE_METHOD)
    reference, top = with_reference(correlation, reference, n_terms)
    known, order = top["method"].unique(), top["term"].unique()
    others = [m for m in others if m in known] or list(known)
    colors = method_colors(labels)
    figure, axes = plt.subplots(
        1, len(others), figsize=(4.6 + 2.5 * len(others), 0.3 * len(order) + 1.7), sharey=True,
        sharex=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes.flat, others, strict=True):
        r = top[top["method"] == method].set_index("term")["r"].abs().reindex(order)
        axis.barh(range(len(order)), r.fillna(0), color=colors[method])
        for k, value in enumerate(r):
            note = "off" if np.isnan(value) else f"{value:.2f}"
            axis.annotate(
                note, (0 if np.isnan(value) else value, k), xytext=(3, 0), va="center",
                textcoords="offset points", fontsize=7.5, color="0.4" if note == "off" else "0.1",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
        n_on, median = int(r.notna().sum()), r.median()
        note = f"median {median:.2f}, {n_on} of {len(r)} on" if n_on else "none is on"
        axis.set_title(f"{method_label(method, labels)}\n{note}", loc="left", fontsize=10)
        if n_on:
            axis.axvline(median, color="0.3", ls="--", lw=1)
        axis.set_xlim(0, 1.14)
        axis.set_xticks([0, 0.5, 1])
        axis.set_xlabel("|correlation| of loadings")
    first = axes.flat[0]
    first.set_yticks(range(len(order)), [readable(term, 60) for term in order], fontsize=8)
    mark_expected(first, order, expected)
    first.set_ylim(len(order) - 0.5, -0.5)
    first.set_ylabel(f"most relevant to {method_label(reference, labels)}, in order")
    expected_legend(figure, order, expected)
    sns.despine(figure)
    return figure


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
    table = agreement.set_index(["method_a", "method_b"])
    table = pd.concat([table, table.swaplevel()])
    table["share_top"] = table["shared_top"] / table["n_top"].where(table["n_top"] > 0)
    stacked = len(methods) > 8  # side by side, many methods would be too small to read
    size = 0.76 * (len(methods) - 1) + 0.4
    figure, axes = plt.subplots(
        *((2, 1) if stacked else (1, 2)), layout="constrained",
        figsize=(size + 3.4, 2 * size + 6) if stacked else (2 * size + 4.2, size + 3.2),
    )  # fmt: skip
    _heat(axes[0], table, methods, "median_r", _about_all, "median |correlation| of loadings")
    _heat(axes[1], table, methods, "share_top", _about_top, "share of the top terms in common")
    n_top = int(np.nan_to_num(table["n_top"].max()))
    axes[0].set_title("all terms active in both", fontsize=10)
    axes[1].set_title(f"the {n_top} most relevant terms of each", fontsize=10)
    unnamed = _without_terms(agreement)
    names = [
        f"{method_label(m, labels)}{' (best component)' if m in unnamed else ''}" for m in methods
    ]
    for axis in axes:
        axis.set_xticks(np.arange(len(methods) - 1) + 0.5, names[:-1])
        plt.setp(axis.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0)
        axis.set_yticks([])
    for axis in axes if stacked else axes[:1]:
        axis.set_yticks(np.arange(len(methods) - 1) + 0.5, names[1:], rotation=0)
    return figure


def _without_terms(agreement: pd.DataFrame) -> set[str]:
    """Return the methods that are paired by component with every other one."""
    pairs = agreement[["method_a", "method_b"]]
    by_term = set(pairs[agreement["matched"] == "term"].to_numpy().ravel())
    return set(pairs.to_numpy().ravel()) - by_term if by_term else set()


def _about_all(row: pd.Series) -> str:
    return f"{row['median_r']:.2f}\n({row['n_terms']:.0f})"


def _about_top(row: pd.Series) -> str:
    r = "" if pd.isna(row["median_r_top"]) else f"\n(|r| {row['median_r_top']:.2f})"
    return f"{row['shared_top']:.0f} of {row['n_top']:.0f}{r}"


def _heat(
    axis: Axes,
    table: pd.DataFrame,
    methods: Sequence[str],
    column: str,
    note: Callable[[pd.Series], str],
    title: str,
) -> None:
    """Draw the lower half of one matrix, methods x methods, in colour and in words."""
    n = len(methods) - 1
    values, notes = np.full((n, n), np.nan), np.full((n, n), "", dtype=object)
    for i, a in enumerate(methods[1:]):
        for j, b in enumerate(methods[: i + 1]):
            notes[i, j] = "\N{EN DASH}"
            if (a, b) in table.index and pd.notna(table.loc[(a, b), column]):
                values[i, j] = table.loc[(a, b), column]
                notes[i, j] = note(table.loc[(a, b)])
    sns.heatmap(
        values, vmin=0, vmax=1, cmap="viridis", annot=notes, fmt="", annot_kws={"fontsize": 8},
        square=True, ax=axis, linewidths=1, linecolor="white",
        cbar_kws={"label": title, "location": "bottom", "shrink": 0.6, "aspect": 30},
    )  # fmt: skip
    for i, j in zip(*np.nonzero(np.isnan(values) & (notes != "")), strict=True):
        axis.text(j + 0.5, i + 0.5, notes[i, j], ha="center", va="center", color="0.5")

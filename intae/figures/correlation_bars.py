"""How far two methods agree, term by term, as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..metrics.agreement import over_pairs
from .pairs import ONE_METHOD, with_reference
from .style import (
    Color,
    expected_legend,
    mark_expected,
    method_colors,
    method_label,
    readable,
    set_style,
    without_data,
)


def plot_correlation_bars(
    correlation: pd.DataFrame,
    seeds: pd.DataFrame,
    labels: Mapping[str, str],
    reference: str,
    others: Sequence[str],
    n_terms: int = 20,
    expected: Sequence[str] = (),
) -> Figure:
    """Draw |r| of loadings with the reference's, its most relevant terms in order: the talk's bars.

    Bars are medians over the pairs of seeds, lines run from the least to the largest. The first
    panel compares the reference with itself from other seeds, where it has several: a term that
    changes there has no one meaning that another method could agree with.

    Parameters
    ----------
    correlation
        The table correlation.csv of one data set, for the order of the terms.
    seeds
        The table correlation_seeds.csv of the data set.
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
    tables = {m: over_pairs(seeds, reference, m).reindex(order) for m in (reference, *others)}
    panels = [m for m, table in tables.items() if table["n_pairs"].notna().any()]
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


def _draw(axis: Axes, table: pd.DataFrame, title: str, color: Color) -> None:
    """Draw a panel: the bar, the line and the number of each term, and what all are together."""
    y = np.arange(len(table))
    axis.barh(y, table["median"].fillna(0), color=color)
    axis.hlines(y, table["min"], table["max"], color="0.15", lw=1.6)
    for k, row in enumerate(table.itertuples()):
        on = row.n_on > 0
        note = f"{row.median:.2f}" if on else "off"
        if on and row.n_on < row.n_pairs:
            note += f" ({row.n_on:.0f} of {row.n_pairs:.0f})"
        axis.annotate(
            note, (row.max if on else 0, k), xytext=(3, 0), va="center",
            textcoords="offset points", fontsize=7.5, color="0.1" if on else "0.4",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    n_on, n_pairs = int((table["n_on"] > 0).sum()), int(table["n_pairs"].max())
    pairs = f"{n_pairs} pair{'s'[: n_pairs != 1]} of seeds"
    median = table["median"].median()
    note = f"median {median:.2f}, {n_on} of {len(table)} on" if n_on else "none is on"
    axis.set_title(f"{title}\n{note}\n{pairs}", loc="left", fontsize=10)
    if n_on:
        axis.axvline(median, color="0.3", ls="--", lw=1)
    axis.set_xlim(0, 1.32)  # room for the numbers
    axis.set_xticks([0, 0.5, 1])
    axis.set_xlabel("|correlation| of loadings")

"""The terms that matter to a method, and how far two methods agree on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..metrics.agreement import over_pairs
from .pairs import ONE_METHOD, with_reference
from .style import (
    NO_TERMS,
    expected_legend,
    mark_expected,
    method_colors,
    method_label,
    readable,
    set_style,
    without_data,
)

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
    """Draw each method's most relevant terms, a panel a method.

    Parameters
    ----------
    terms
        The table terms.csv of one data set. Of several seeds the mean is drawn, with a line from
        the least to the largest and the number of seeds that have the term among their first.
    labels, models
        Method -> its name in figures, and the class of its model.
    n_terms
        Number of terms a panel.
    expected
        Terms to mark.
    """
    set_style()
    with_names = terms[terms["kind"] == "annotated"]["method"].unique()
    # The numbers of terms without annotation mean nothing from one seed to the next.
    several = terms.groupby("method")["seed"].transform("nunique") > 1
    terms = terms[~several | (terms["kind"] == "annotated")]
    methods = [m for m in labels if m in set(with_names)]
    if not methods:
        return without_data(NO_TERMS)
    colors, columns = method_colors(labels), min(2, len(methods))
    rows = -(-len(methods) // columns)
    on = terms[terms["active"]].groupby(["method", "seed"]).size()
    n_shown = min(n_terms, int(on.max()) if len(on) else 1)
    figure, axes = plt.subplots(
        rows, columns, figsize=(7.6 * columns, rows * (0.34 * n_shown + 1.2)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes.flat, methods, strict=False):
        part = _over_seeds(terms[terms["method"] == method], n_terms)
        axis.set_title(method_label(method, labels), loc="left")
        if part.empty:
            axis.text(0.5, 0.5, "every term is off", ha="center", transform=axis.transAxes)
            axis.set(xticks=[], yticks=[])
            continue
        # two columns of panels leave a term one line; its name is never cut
        names = [readable(term, 60) for term in part.index]
        axis.barh(names, part["mean"], color=colors[method])
        if (part["n_seeds"] > 1).any():
            axis.hlines(names, part["min"], part["max"], color="0.15", lw=1.4)
            for y, row in enumerate(part.itertuples()):
                axis.annotate(
                    f"{row.n_top} of {row.n_seeds}", (row.max, y), xytext=(4, 0), va="center",
                    textcoords="offset points", fontsize=7,
                )  # fmt: skip
            axis.margins(x=0.12)
        axis.invert_yaxis()
        mark_expected(axis, part.index, expected)
        axis.tick_params(axis="y", labelsize=8)
        axis.set_xlabel(RELEVANCE.get(models[method], "relevance"))
    for axis in axes.flat[len(methods) :]:
        axis.set_visible(False)
    expected_legend(figure, terms["term"], expected)
    sns.despine(figure)
    return figure


def _over_seeds(terms: pd.DataFrame, n_terms: int) -> pd.DataFrame:
    """Summarise the most relevant terms of a method over its seeds, a row a term, in order.

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


def plot_correlation(
    correlation: pd.DataFrame,
    labels: Mapping[str, str],
    reference: str,
    n_terms: int = 20,
    expected: Sequence[str] = (),
    *,
    seeds: pd.DataFrame | None = None,
) -> Figure:
    """Draw the correlation of loadings with the reference's, for its most relevant terms.

    Parameters
    ----------
    correlation
        The table correlation.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    reference
        The method whose terms are shown, and with which the others are correlated; the first of
        the table, where it is not in it.
    n_terms
        Number of terms.
    expected
        Terms to mark.
    seeds
        The table correlation_seeds.csv: where two methods have several pairs of seeds, their
        median is drawn, and the least and largest are written below it.
    """
    set_style()
    if correlation.empty:
        return without_data(ONE_METHOD)
    reference, pairs = with_reference(correlation, reference, n_terms)
    order = list(pairs["term"].unique())
    methods = [m for m in labels if m in set(pairs["method"])]
    table = pairs.pivot(index="term", columns="method", values="r").reindex(order)[methods]
    table, notes, lines = _with_seeds(table.abs(), reference, seeds)
    figure, axis = plt.subplots(
        figsize=(4.2 + 1.3 * len(methods), 2.4 + (0.22 + 0.14 * lines) * len(order)),
        layout="constrained",
    )
    sns.heatmap(
        table.set_axis([readable(t, 60) for t in order]).rename(columns=labels),
        vmin=0, vmax=1, cmap="viridis", annot=notes, fmt="",
        annot_kws={"fontsize": 8}, cbar_kws={"label": "|correlation of loadings|"}, ax=axis,
    )  # fmt: skip
    axis.set_xlabel("")
    mark_expected(axis, order, expected)
    expected_legend(figure, order, expected)
    axis.set_ylabel(f"terms most relevant to {method_label(reference, labels)}, in order")
    axis.tick_params(axis="x", rotation=30, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set_facecolor("0.9")  # no correlation
    if table.isna().any(axis=None):
        handle = Patch(facecolor="0.9", label="off in one of the two")
        figure.legend(handles=[handle], loc="outside lower left", frameon=False)
    return figure


def _with_seeds(
    table: pd.DataFrame, reference: str, seeds: pd.DataFrame | None
) -> tuple[pd.DataFrame, np.ndarray, int]:
    """Put medians over pairs of seeds into a table of |r|, and write what to say of each.

    Parameters
    ----------
    table
        |r| with the reference, terms x methods, first seeds.
    reference
        The method compared with.
    seeds
        The table correlation_seeds.csv.

    Returns
    -------
    The table, the text of each cell, and the most lines that a cell has.
    """
    notes = table.map("{:.2f}".format).to_numpy(object)
    if seeds is None:
        return table, notes, 1
    table, lines = table.copy(), 1
    for j, method in enumerate(table.columns):
        spread = over_pairs(seeds, reference, method)
        for i, term in enumerate(table.index):
            if term not in spread.index:
                continue
            r = spread.loc[term]
            table.iloc[i, j] = r["median"]
            if r["n_pairs"] == 1 or not r["n_on"]:
                continue
            notes[i, j] = f"{r['median']:.2f}"
            if r["n_on"] > 1:
                notes[i, j] += f"\n{r['min']:.2f} to {r['max']:.2f}"
            if r["n_on"] < r["n_pairs"]:
                notes[i, j] += f"\n{r['n_on']:.0f} of {r['n_pairs']:.0f} pairs"
            lines = max(lines, 1 + notes[i, j].count("\n"))
    return table, notes, lines

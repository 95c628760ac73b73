"""The terms that matter to a method, and how far two methods agree on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
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
        The table terms.csv of one data set; of several seeds the first is drawn.
    labels, models
        Method -> its name in figures, and the class of its model.
    n_terms
        Number of terms a panel.
    expected
        Terms to mark.
    """
    set_style()
    with_names = terms[terms["kind"] == "annotated"]["method"].unique()
    methods = [m for m in labels if m in set(with_names)]
    if not methods:
        return without_data("no method with gene sets has finished its fit")
    colors, columns = method_colors(labels), min(2, len(methods))
    rows = -(-len(methods) // columns)
    on = terms[terms["active"]].groupby(["method", "seed"]).size()
    n_shown = min(n_terms, int(on.max()) if len(on) else 1)
    figure, axes = plt.subplots(
        rows, columns, figsize=(7.6 * columns, rows * (0.34 * n_shown + 1.2)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, method in zip(axes.flat, methods, strict=False):
        part = terms[terms["method"] == method]
        part = part[part["seed"] == part["seed"].iloc[0]].nsmallest(n_terms, "rank")
        part = part[part["active"]]
        # two columns of panels leave a term one line; its name is never cut
        axis.barh(
            [readable(term, 60) for term in part["term"]], part["relevance"], color=colors[method]
        )
        axis.invert_yaxis()
        mark_expected(axis, part["term"], expected)
        axis.tick_params(axis="y", labelsize=8)
        axis.set_title(method_label(method, labels), loc="left")
        axis.set_xlabel(RELEVANCE.get(models[method], "relevance"))
    for axis in axes.flat[len(methods) :]:
        axis.set_visible(False)
    expected_legend(figure, terms["term"], expected)
    sns.despine(figure)
    return figure


def plot_correlation(
    correlation: pd.DataFrame,
    labels: Mapping[str, str],
    reference: str,
    n_terms: int = 20,
    expected: Sequence[str] = (),
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
    """
    set_style()
    known = pd.unique(correlation[["method_a", "method_b"]].to_numpy().ravel())
    if len(known) < 2:
        return without_data("fewer than two methods with gene sets have finished their fits")
    reference = reference if reference in known else known[0]
    pairs = correlation[
        (correlation["method_a"] == reference) | (correlation["method_b"] == reference)
    ].copy()
    pairs["method"] = pairs["method_a"].where(pairs["method_a"] != reference, pairs["method_b"])
    pairs = pairs[pairs["relevance_rank"] <= n_terms].sort_values("relevance_rank")
    order = list(dict.fromkeys(pairs["term"]))
    methods = [m for m in labels if m in set(pairs["method"])]
    table = pairs.pivot(index="term", columns="method", values="r").reindex(order)[methods]
    figure, axis = plt.subplots(
        figsize=(4.2 + 1.15 * len(methods), 2.4 + 0.36 * len(order)), layout="constrained"
    )
    sns.heatmap(
        table.abs().set_axis([readable(t, 60) for t in order]).rename(columns=labels),
        vmin=0, vmax=1, cmap="viridis", annot=table.abs().to_numpy(), fmt=".2f",
        annot_kws={"fontsize": 8}, cbar_kws={"label": "|correlation of loadings|"}, ax=axis,
    )  # fmt: skip
    axis.set_xlabel("")
    mark_expected(axis, order, expected)
    expected_legend(figure, order, expected)
    axis.set_ylabel(f"terms most relevant to {method_label(reference, labels)}, in order")
    axis.tick_params(axis="x", rotation=30, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set_facecolor("0.9")  # off in one of the two: no correlation
    return figure

"""The terms that matter to the recommended method, and how the other models rank them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .families import expected_in, family_label, members_of, one_line_each
from .style import (
    NO_TERMS,
    expected_legend,
    first_seed,
    mark_expected,
    method_colors,
    method_label,
    methods_in,
    recommended_first,
    set_style,
    without_data,
    write,
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
    recommended: str | None = None,
) -> Figure:
    """Draw one method's most relevant terms, and beside them their ranks in the other models.

    Parameters
    ----------
    terms
        The table terms.csv of one data set. One line per family: the length is that of its most
        relevant term, the other members stand below, and in another model the rank is that of the
        member which it ranks first. Of several seeds the mean is drawn (ranks: the median over the
        seeds in which the term is on), with a line from the least to the largest. Terms without
        annotation are those of the first seed: another seed numbers them anew.
    labels, models
        Method -> its name in figures, and the class of its model.
    n_terms
        Number of terms.
    expected
        Terms to mark.
    recommended
        The method whose terms are drawn; the first one, where it is not in the table.
    """
    set_style()
    methods = methods_in(terms[terms["kind"] == "annotated"], labels)
    if not methods:
        return without_data(NO_TERMS)
    method, *others = recommended_first(methods, recommended)
    own = terms[terms["method"] == method]
    own = own[(own["kind"] == "annotated") | (own["seed"] == first_seed(own))]
    members = members_of(own)
    part = _over_seeds(one_line_each(own, members), n_terms)
    lines = list(part.index)
    if not lines:
        return without_data(f"every term of {method_label(method, labels)} is off")
    names = [family_label(term, members, 60) for term in lines]
    height = max(0.36 * len(lines), _lines_high(names))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(7.4 + 0.62 * max(1, len(others)), height + 1.9), layout="constrained",
        width_ratios=[4, 0.62 * max(1, len(others))],
    )  # fmt: skip
    y = np.arange(len(lines))
    left.barh(y, part["mean"], color=method_colors(labels)[method])
    left.set_yticks(y, names)
    if own["seed"].nunique() > 1:
        left.hlines(y, part["min"], part["max"], color="0.15", lw=1.4)
        for position, row in enumerate(part.itertuples()):
            write(left, row.max, position, f"{row.n_top} of {row.n_seeds}", size=7)
    else:
        _tick_members(left, lines, members, own[own["active"]].set_index("term")["relevance"])
    left.set_title(method_label(method, labels), loc="left", fontweight="bold")
    left.set_xlabel(RELEVANCE.get(models[method], "relevance"))
    left.set_ylim(len(lines) - 0.4, -0.6)
    left.tick_params(axis="y", labelsize=8)
    _ranks_elsewhere(right, terms, lines, members, others, labels)
    right.set_ylim(*left.get_ylim())
    marked = expected_in(lines, members, expected)
    mark_expected(left, lines, marked)
    expected_legend(figure, marked, marked)
    sns.despine(figure)
    right.spines[:].set_visible(False)
    return figure


PALE = 50  # rank from which on a cell has no colour


def _ranks_elsewhere(
    axis: Axes,
    terms: pd.DataFrame,
    lines: Sequence[str],
    members: Mapping[str, Sequence[str]],
    methods: Sequence[str],
    labels: Mapping[str, str],
) -> None:
    """Draw a map of ranks, terms x methods: the darker, the more relevant there."""
    table = ranks(terms, lines, members, methods)
    if not methods:
        return axis.set_visible(False)
    shade = 1 - np.log(table["rank"].unstack(fill_value=np.nan)) / np.log(PALE)
    shade = shade.reindex(index=lines, columns=methods).clip(lower=0.04)
    colors = mpl.colormaps["Greys"](0.75 * shade.fillna(0).to_numpy())
    axis.imshow(colors, aspect="auto", interpolation="none")
    for (line, method), row in table.iterrows():
        x, y = methods.index(method), lines.index(line)
        if np.isnan(row["rank"]):
            axis.text(x, y, row["note"], ha="center", va="center", fontsize=7.5, color="0.45")
            continue
        color = "white" if shade.loc[line, method] > 0.7 else "black"
        text = f"{row['rank']:.0f}{row['note']}"
        axis.text(x, y, text, ha="center", va="center", fontsize=8, color=color)
    names = [textwrap.fill(method_label(m, labels), 32) for m in methods]
    axis.set_xticks(range(len(methods)), names, rotation=50, ha="left", rotation_mode="anchor")
    axis.xaxis.tick_top()
    axis.tick_params(length=0, labelsize=8)
    axis.set_yticks([])
    axis.set_xlabel("rank in the other models\n(darker: more relevant there)", fontsize=9)


def ranks(
    terms: pd.DataFrame,
    lines: Sequence[str],
    members: Mapping[str, Sequence[str]],
    methods: Sequence[str],
) -> pd.DataFrame:
    """Return the rank of each line (a term and its family) in each method.

    Returns
    -------
    Indexed by line and method: rank, that of the member ranked first, the median over the seeds in
    which one is on, NaN where none is; note, in how many of the seeds, off, or that the method has
    no such term.
    """
    found = {}
    annotated = terms[terms["kind"] == "annotated"]
    for method in methods:
        own = annotated[annotated["method"] == method]
        n_seeds = own["seed"].nunique()
        for line in lines:
            of_line = own[own["term"].isin({line, *members.get(line, ())})]
            best = of_line[of_line["active"].astype(bool)].groupby("seed")["rank"].min()
            note = "" if len(best) in (0, n_seeds) else f"\n({len(best)} of {n_seeds})"
            if best.empty:
                note = "\N{EN DASH}" if of_line.empty else "off"
            found[line, method] = (best.median() if len(best) else np.nan, note)
    index = pd.MultiIndex.from_tuples(found, names=["line", "method"]) if found else None
    return pd.DataFrame(list(found.values()), index=index, columns=["rank", "note"])


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

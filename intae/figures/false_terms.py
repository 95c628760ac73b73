"""Terms that methods call active although they are not."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .style import NO_TERMS, method_label, set_style, without_data

# the table's words -> colour, words of the legend
OUTCOMES = {
    "true": ("#0173B2", "truly active"),
    "false, overlaps a true one": ("#DE8F05", "false, shares genes with a truly active set"),
    "false, overlaps none": ("#B4B4B4", "false, shares few or no genes with one"),
}
TITLES = {
    "switched on": "terms that the method\nleaves switched on",
    "top ranked": "as many of its most relevant terms\nas are truly active",
    "differs between conditions": "terms whose loadings differ\nbetween the conditions",
}
EVERY = "all terms\n(middle: as many at random)"


def plot_false_positives(counts: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw the terms called active, rightly and wrongly, a panel a rule, a bar a method.

    Parameters
    ----------
    counts
        The table false_positives.csv of one simulation. The mean over its draws and the seeds is
        drawn; beside each bar stand both numbers, each with the least and the most.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    methods = [m for m in labels if m in set(counts["method"])]
    if not methods:
        return without_data(NO_TERMS)
    names = [*(method_label(m, labels) for m in methods), EVERY]
    figure, axes = plt.subplots(
        1, len(TITLES), figsize=(13, 0.4 * len(names) + 1.9), sharey=True, layout="constrained"
    )
    for axis, (rule, title) in zip(axes, TITLES.items(), strict=True):
        part = counts[counts["rule"] == rule]
        mean = part.pivot_table(index="method", columns="outcome", values="n").reindex(methods)
        every = part.groupby("outcome")["of"].mean()
        if rule == "top ranked":
            every *= every["true"] / every.sum()
        mean.loc[EVERY] = every
        left = pd.Series(0.0, mean.index)
        for outcome, (color, _) in OUTCOMES.items():
            axis.barh(names, mean[outcome], left=left, color=color, edgecolor="white", lw=0.5)
            left += mean[outcome]
        part = part.assign(right=part["outcome"] == "true")
        each = part.groupby(["method", "dataset", "seed", "right"])["n"].sum().unstack()
        for y, method in enumerate(methods):
            axis.annotate(
                _note(each.loc[method]), (left[method], y), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=8,
            )  # fmt: skip
        true = part.loc[part["right"], "of"].mean()
        axis.axvline(true, color="0.2", ls="--", lw=1)
        axis.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 5, 10]))
        axis.set_xlim(0, 2.0 * left.max())  # room for the numbers, without ticks there
        axis.set_xticks([tick for tick in axis.get_xticks() if 0 <= tick <= left.max()])
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlabel("number of terms")
    axes[0].invert_yaxis()
    handles = [Patch(color=color, label=words) for color, words in OUTCOMES.values()]
    handles.append(
        plt.Line2D([], [], color="0.2", ls="--", lw=1, label="number of truly active terms")
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    sns.despine(figure)
    return figure


def _note(counts: pd.DataFrame) -> str:
    """Write the mean numbers of true and false ones, each with its range."""
    return ", ".join(
        f"{_number(n.mean())} {word}{'' if n.min() == n.max() else f' ({n.min()} to {n.max()})'}"
        for word, n in (("true", counts[True]), ("false", counts[False]))
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"

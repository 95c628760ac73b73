"""How well single terms separate the condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import method_colors, method_label, readable, set_style

SPLITS = {"train": "on all cells, as in the paper", "held_out": "on cells held out"}


def plot_accuracy(
    accuracy: pd.DataFrame,
    labels: Mapping[str, str],
    terms: Sequence[str] = (),
    n_terms: int = 10,
    guess: float | None = None,
) -> Figure:
    """Draw the accuracy of single terms, a column a way of scoring, a dot a method.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set. Of several seeds the mean is drawn, and a line
        from the least to the largest.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    terms
        The terms to draw; those that are not in the table are left out, and if none is left the
        `n_terms` that separate best in any method.
    guess
        Accuracy of guessing the largest class, drawn as a dashed line.
    """
    set_style()
    annotated = accuracy[~accuracy["term"].str.match(r"(dense|sparse)_\d+$")]
    train = annotated[annotated["split"] == "train"]
    best = train.groupby("term")["accuracy"].max().sort_values(ascending=False)
    shown = [term for term in terms if term in best.index] or list(best.index[:n_terms])
    shown = sorted(shown, key=lambda term: -best[term])
    methods = [m for m in labels if m in set(annotated["method"])]
    colors, offset = method_colors(labels), 0.7 / max(1, len(methods))
    figure, axes = plt.subplots(
        1, 2, figsize=(11, 1.6 + 0.2 * len(shown) * max(2.4, len(methods) * 0.8)),
        sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    for axis, (split, title) in zip(axes, SPLITS.items(), strict=True):
        part = annotated[annotated["split"] == split]
        for i, method in enumerate(methods):
            values = part[part["method"] == method].groupby("term")["accuracy"]
            y = [k + offset * (i - (len(methods) - 1) / 2) for k in range(len(shown))]
            low, mid, high = (getattr(values, f)().reindex(shown) for f in ("min", "mean", "max"))
            axis.hlines(y, low, high, color=colors[method], lw=2, alpha=0.6)
            axis.scatter(mid, y, color=colors[method], s=34, zorder=3)
        for k in range(1, len(shown)):
            axis.axhline(k - 0.5, color="0.9", lw=0.8, zorder=0)
        if guess is not None:
            axis.axvline(guess, color="0.4", ls="--", lw=1, zorder=0)
        axis.set_title(title, loc="left")
        axis.set_xlim(min(0.4, part["accuracy"].min() - 0.02), 1.01)
        axis.set_xlabel("accuracy of a logistic regression on one term")
    axes[0].set_yticks(range(len(shown)), [readable(term) for term in shown])
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    handles = [] if guess is None else [
        Line2D([], [], color="0.4", ls="--", lw=1, label="guessing the larger condition")
    ]  # fmt: skip
    handles += [
        Line2D([], [], marker="o", ls="", color=colors[m], label=method_label(m, labels))
        for m in methods
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    sns.despine(figure)
    return figure

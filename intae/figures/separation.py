"""How well single terms separate the condition, and what gives these numbers a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import NO_TERMS, method_colors, method_label, readable, set_style, without_data

SPLITS = {
    "train": "on all cells, as in the paper",
    "held_out": "on cells held out",
    "unseen": "on cells that the fit never saw",
}
MARKERS = "PDsv^<>"  # of plain scores, which share a lane
SHUFFLED = "X"
LINES = ("-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)))  # of the best that a control reaches
INK = "0.25"


def plot_accuracy(
    accuracy: pd.DataFrame,
    labels: Mapping[str, str],
    terms: Sequence[str] = (),
    n_terms: int = 10,
    guess: float | None = None,
    *,
    roles: Mapping[str, str] | None = None,
    permuted: Sequence[str] = (),
) -> Figure:
    """Draw the accuracy of single terms, a column a way of scoring, a dot a model.

    Controls stand below the models, in grey: scores in one lane, and what the term's name reaches
    with other genes in the next. What has no terms (PCA), and shuffled gene sets, are also drawn as
    a line through all rows, at the best of all their components or terms (the mean over seeds, in a
    band from the least to the largest). Ablations are left out.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set. Of several seeds the mean is drawn, and a line
        from the least to the largest.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    terms
        The terms to draw; those that are not in the table are left out, and if none is left the
        `n_terms` that separate best in any model.
    guess
        Accuracy of guessing the largest class, drawn as a dashed line.
    roles
        Method -> model, control or ablation; by default all are models.
    permuted
        Methods whose gene sets were shuffled.
    """
    set_style()
    roles = roles or {}
    run = [m for m in labels if m in set(accuracy["method"]) and roles.get(m) != "ablation"]
    annotated = accuracy[~accuracy["term"].astype(str).str.match(r"(dense|sparse)_\d+$")]
    named = [m for m in run if m in set(annotated["method"])]
    if not run:
        return without_data(NO_TERMS)
    controls = [m for m in run if roles.get(m) == "control"]
    models = [m for m in named if m not in controls]
    scores = [m for m in named if m in controls and m not in permuted]
    shuffled = [m for m in named if m in controls and m in permuted]
    best_of = [m for m in controls if m not in scores]
    lanes = [*([m] for m in models), *([scores] if scores else []), *([m] for m in shuffled)]

    train = annotated[annotated["split"] == "train"]
    ranked = train[train["method"].isin(models or named)]
    best = ranked.groupby("term")["accuracy"].max().sort_values(ascending=False)
    shown = [term for term in terms if term in best.index] or list(best.index[:n_terms])
    shown = sorted(shown, key=lambda term: -best[term])
    colors = method_colors(labels)
    marks = _marks(labels, roles)
    splits = [split for split in SPLITS if split in set(accuracy["split"])]
    height = 2.3 + 0.2 * max(1, len(shown)) * max(2.4, len(lanes) * 0.8)
    figure, axes = plt.subplots(
        1, len(splits), figsize=(3.6 + 3.7 * len(splits), height), squeeze=False,
        sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    drawn = annotated[annotated["term"].isin(shown) & annotated["method"].isin(run)]
    for axis, split in zip(axes.flat, splits, strict=True):
        part = accuracy[accuracy["split"] == split]
        for i, lane in enumerate(lanes):
            center = 0.76 / len(lanes) * (i - (len(lanes) - 1) / 2)
            y = [k + center for k in range(len(shown))]
            for j, method in enumerate(lane):
                style = {"color": colors[method], "s": 34}
                if method in scores:  # often equal: a little apart, and hollow
                    shift = 0.16 / len(lanes) * (j - (len(lane) - 1) / 2)
                    y = [k + center + shift for k in range(len(shown))]
                    style = {"marker": marks[method], "s": 24, "facecolor": "none"}
                    style |= {"edgecolor": colors[method], "linewidth": 1.4}
                elif method in shuffled:
                    style = {"marker": SHUFFLED, "s": 32, "facecolor": colors[method]}
                    style |= {"edgecolor": INK, "linewidth": 0.7}
                values = part[part["method"] == method].groupby("term")["accuracy"]
                _spread(axis, values, shown, y, colors[method] if method in models else INK, style)
        for line, method in zip(LINES * len(best_of), best_of, strict=False):
            if method not in set(part["method"]):
                continue  # not scored in this way
            best = part[part["method"] == method].groupby("seed")["accuracy"].max()
            axis.axvline(best.mean(), color=INK, ls=line, lw=1.1, zorder=0)
            if len(best) > 1:
                axis.axvspan(best.min(), best.max(), color=INK, alpha=0.1, lw=0, zorder=0)
        for k in range(1, len(shown)):
            axis.axhline(k - 0.5, color="0.9", lw=0.8, zorder=0)
        if guess is not None:
            axis.axvline(guess, color="0.4", ls="--", lw=1, zorder=0)
        axis.set_title(SPLITS[split], loc="left")
        axis.set_xlabel("accuracy of a logistic regression on one term")
    first = axes.flat[0]
    first.set_xlim(min(0.4, drawn["accuracy"].min() - 0.02) if len(drawn) else 0.4, 1.01)
    first.set_yticks(range(len(shown)), [readable(term) for term in shown])
    first.set_ylim(max(1, len(shown)) - 0.5, -0.5)
    _legends(figure, models, {m: marks[m] for m in scores}, shuffled, best_of, labels, guess)
    sns.despine(figure)
    return figure


def _marks(labels: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, str]:
    """Give each control a mark that it keeps, whichever others are run."""
    controls = [m for m in labels if roles.get(m) == "control"]
    return dict(zip(controls, MARKERS * len(controls), strict=False))


def _spread(axis: Axes, values, terms: list[str], y: list[float], color, style: dict) -> None:
    """Draw the mean over seeds, a mark a term, and a line from the least to the largest."""
    low, mid, high = (getattr(values, f)().reindex(terms) for f in ("min", "mean", "max"))
    axis.hlines(y, low, high, color=color, lw=2, alpha=0.6)
    axis.scatter(mid, y, zorder=3, **style)


def _legends(
    figure: Figure,
    models: Sequence[str],
    scores: Mapping[str, str],
    shuffled: Sequence[str],
    best_of: Sequence[str],
    labels: Mapping[str, str],
    guess: float | None,
) -> None:
    """Name the models above the columns, and below them what gives a scale."""
    colors = method_colors(labels)
    handles = [
        Line2D([], [], marker="o", ls="", color=colors[m], label=method_label(m, labels))
        for m in models
    ]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    scale = [
        Line2D([], [], ls="", marker=mark, mfc="none", mec=colors[m], mew=1.4,
               label=f"{method_label(m, labels)}: a plain score of the term's genes")
        for m, mark in scores.items()
    ]  # fmt: skip
    scale += [
        Line2D([], [], ls="", marker=SHUFFLED, mfc=colors[m], mec=INK, mew=0.7, ms=7,
               label=f"{method_label(m, labels)}: the term of that name")
        for m in shuffled
    ]  # fmt: skip
    scale += [
        Line2D([], [], color=INK, ls=line, lw=1.1,
               label=f"{method_label(m, labels)}: the best of all its "
               f"{'terms' if m in shuffled else 'components'}")
        for line, m in zip(LINES * len(best_of), best_of, strict=False)
    ]  # fmt: skip
    if guess is not None:
        scale.append(
            Line2D([], [], color="0.4", ls="--", lw=1, label="guessing the larger condition")
        )
    if scale:
        figure.legend(
            handles=scale, loc="outside lower center", ncols=2, frameon=False, title="for scale"
        )

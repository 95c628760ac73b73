"""How well single terms separate the condition, and how that holds on cells that no fit saw."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from pandas.core.groupby import SeriesGroupBy

from .style import (
    NO_TERMS,
    Color,
    edge_color,
    looks,
    method_colors,
    method_label,
    methods_in,
    readable,
    recommended_first,
    separate_rows,
    set_style,
    span,
    without_data,
    write,
    write_readably,
)

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
    recommended: str | None = None,
) -> Figure:
    """Draw the accuracy of single terms: one column per way of scoring, one dot per model.

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
        `n_terms` that separate best in the recommended method, or in any model without it.
    guess
        Accuracy of guessing the largest class, drawn as a dashed line.
    roles
        Method -> model, control or ablation; by default all are models.
    permuted
        Methods whose gene sets were shuffled.
    recommended
        The method that comes first.
    """
    set_style()
    roles, ordered = roles or {}, recommended_first(labels, recommended)
    run = [m for m in methods_in(accuracy, ordered) if roles.get(m) != "ablation"]
    annotated = accuracy[~accuracy["term"].astype(str).str.match(r"(dense|sparse)_\d+$")]
    named = methods_in(annotated, run)
    if not run:
        return without_data(NO_TERMS)
    controls = [m for m in run if roles.get(m) == "control"]
    models = [m for m in named if m not in controls]
    scores = [m for m in named if m in controls and m not in permuted]
    shuffled = [m for m in named if m in controls and m in permuted]
    best_of = [m for m in controls if m not in scores]
    lanes = [*([m] for m in models), *([scores] if scores else []), *([m] for m in shuffled)]

    train = annotated[annotated["split"] == "train"]
    ranking = [m for m in models if m == recommended] or models or named
    ranked = train[train["method"].isin(ranking)]
    best = ranked.groupby("term")["accuracy"].max().sort_values(ascending=False)
    shown = [term for term in terms if term in best.index] or list(best.index[:n_terms])
    shown = sorted(shown, key=lambda term: -best[term])
    colors = method_colors(labels)
    marks, look = _marks(labels, roles), looks(labels)
    splits = [split for split in SPLITS if split in set(accuracy["split"])]
    height = 2.3 + 0.2 * max(1, len(shown)) * max(2.4, len(lanes) * 0.8)
    figure, axes = plt.subplots(
        1, len(splits), figsize=(3.4 + 3.3 * len(splits), height), squeeze=False,
        sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    drawn = annotated[annotated["term"].isin(shown) & annotated["method"].isin(run)]
    for axis, split in zip(axes.flat, splits, strict=True):
        part = accuracy[accuracy["split"] == split]
        for i, lane in enumerate(lanes):
            center = 0.76 / len(lanes) * (i - (len(lanes) - 1) / 2)
            y = [k + center for k in range(len(shown))]
            for j, method in enumerate(lane):
                style = {"color": colors[method], "s": 34, "marker": look[method][0]}
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
        separate_rows(axis, len(shown))
        if guess is not None:
            axis.axvline(guess, color="0.4", ls="--", lw=1, zorder=0)
        axis.set_title(SPLITS[split], loc="left")
        axis.set_xlabel("accuracy of a logistic regression on one term")
    first = axes.flat[0]
    first.set_xlim(min(0.4, drawn["accuracy"].min() - 0.02) if len(drawn) else 0.4, 1.01)
    first.set_yticks(range(len(shown)), [readable(term) for term in shown])
    _legends(figure, models, {m: marks[m] for m in scores}, shuffled, best_of, labels, guess)
    sns.despine(figure)
    return figure


def _marks(labels: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, str]:
    """Give each control a mark that it keeps, whichever others are run."""
    controls = [m for m in labels if roles.get(m) == "control"]
    return dict(zip(controls, MARKERS * len(controls), strict=False))


def _spread(
    axis: Axes,
    values: SeriesGroupBy,
    terms: Sequence[str],
    y: Sequence[float],
    color: str | Color,
    style: Mapping[str, Any],
) -> None:
    """Draw the mean over seeds as one mark per term, and a line from the least to the largest."""
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

    def handle(method: str, words: str = "", **style: Any) -> Line2D:
        return Line2D([], [], label=f"{method_label(method, labels)}{words}", **style)

    marks = looks(labels)
    handles = [handle(m, marker=marks[m][0], ls="", color=colors[m]) for m in models]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    plain = {"ls": "", "mfc": "none", "mew": 1.4}
    scale = [
        handle(m, ": a plain score of the term's genes", marker=mark, mec=colors[m], **plain)
        for m, mark in scores.items()
    ]
    cross = {"ls": "", "marker": SHUFFLED, "mec": INK, "mew": 0.7, "ms": 7}
    scale += [handle(m, ": the term of that name", mfc=colors[m], **cross) for m in shuffled]
    for line, m in zip(LINES * len(best_of), best_of, strict=False):
        words = f": the best of all its {'terms' if m in shuffled else 'components'}"
        scale.append(handle(m, words, color=INK, ls=line, lw=1.1))
    if guess is not None:
        words = "guessing the larger condition"
        scale.append(Line2D([], [], color="0.4", ls="--", lw=1, label=words))
    if scale:
        figure.legend(
            handles=scale, loc="outside lower center", ncols=2, frameon=False, title="for scale"
        )


STAGGER = (-0.06, 0.06, 0.0)  # neighbours, from the least to the largest, are not on one line


def plot_reconstruction(
    reconstruction: pd.DataFrame, labels: Mapping[str, str], without_sets: Collection[str] = ()
) -> Figure:
    """Draw the share of variance that a method reconstructs, in cells it saw and in unseen ones.

    Parameters
    ----------
    reconstruction
        The table reconstruction.csv of one data set; one dot per fold and seed, a line at the mean.
        Dots of a row stand at different heights, so that none hides another.
    labels
        Method -> its name in figures, for the methods to draw, in order.
    without_sets
        Methods without gene sets, whose terms are components.
    """
    set_style()
    methods = methods_in(reconstruction, labels)
    if not methods:
        return without_data("no method reconstructs expression")
    colors = method_colors(labels)
    figure, axis = plt.subplots(figsize=(10, 1.7 + 0.6 * len(methods)), layout="constrained")
    for k, method in enumerate(methods):
        part = reconstruction[reconstruction["method"] == method]
        edge = edge_color(colors[method])
        for split, y, style in (
            ("train", k - 0.18, {"facecolor": "white", "edgecolor": edge, "lw": 1.5}),
            ("unseen", k + 0.18, {"facecolor": colors[method], "edgecolor": "white", "lw": 0.8}),
        ):
            values = part.loc[part["split"] == split, "variance_explained"].sort_values()
            heights = y + np.resize(STAGGER, len(values))
            axis.scatter(values, heights, s=46, zorder=3, **style)
            axis.vlines(values.mean(), y - 0.15, y + 0.15, color="0.15", lw=1.6, zorder=4)
        number = span(part["n_terms_active"].min(), part["n_terms_active"].max())
        number += "\ncomponents" if method in without_sets else ""
        write(axis, 1.0, k, number, pad=6, size=9, xycoords=("axes fraction", "data"))
    axis.annotate(
        "terms on", (1.0, 1.0), xycoords="axes fraction", xytext=(6, 4), fontsize=9,
        textcoords="offset points",
    )  # fmt: skip
    axis.set_yticks(range(len(methods)), [method_label(m, labels) for m in methods])
    separate_rows(axis, len(methods))
    axis.set_xlim(min(0.0, reconstruction["variance_explained"].min() - 0.02), None)
    axis.set_xlabel("share of variance explained, about the mean of the training cells")
    handles = [
        Line2D([], [], ls="", marker="o", color="0.3", mew=1.5, mfc=face, label=label)
        for face, label in (("white", "cells of the fit"), ("0.3", "unseen cells"))
    ]
    handles.append(Line2D([], [], ls="", marker="|", color="0.15", ms=11, mew=1.6, label="mean"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    sns.despine(figure)
    return figure


BEST_UNANNOTATED = "best unannotated factor"
FRAME = {"ec": "#D7191C", "lw": 2.4}


def plot_dense_factors(
    best: pd.DataFrame,
    accuracy: pd.DataFrame,
    labels: Mapping[str, str],
    terms: Sequence[str] = (),
    guess: float | None = None,
) -> Figure:
    """Draw the accuracy of terms, one column per fit, with each fit's best term framed.

    Parameters
    ----------
    best
        The table dense_factors.csv of one data set: its methods are drawn, in its order.
    accuracy
        The table accuracy.csv of the data set; the accuracies on all cells are drawn.
    labels
        Method -> its name in figures.
    terms
        Terms to draw beside those that are the best of some fit.
    guess
        Accuracy of guessing the largest class, where the colours begin (0.5 if not given).
    """
    set_style()
    if best.empty:
        return without_data("no fit with gene sets has finished")
    train = accuracy[accuracy["split"] == "train"]
    table = train.pivot_table(index="term", columns=["method", "seed"], values="accuracy")
    shown = list(dict.fromkeys([*best["term"], *(t for t in terms if t in table.index)]))
    columns = list(zip(best["method"], best["seed"], strict=True))
    table = table.reindex(index=shown, columns=pd.MultiIndex.from_tuples(columns))
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index]
    rows = [readable(term) for term in table.index]
    values = table.to_numpy(float)
    free = best["unannotated_accuracy"].notna().any()
    if free:
        rows.append(BEST_UNANNOTATED)
        values = np.vstack([values, best["unannotated_accuracy"].to_numpy(float)])
    methods = list(dict.fromkeys(best["method"]))
    widths = [sum(best["method"] == m) for m in methods]
    cell = max(0.7, 0.98 / min(widths))  # inches; a name stands over each block
    figure, axes = plt.subplots(
        1, len(methods), figsize=(4.3 + cell * len(best), 2.3 + 0.38 * len(rows)),
        width_ratios=widths, squeeze=False,
    )  # fmt: skip
    low = 0.5 if guess is None else guess
    position = 0
    for axis, method, width in zip(axes.flat, methods, widths, strict=True):
        block = slice(position, position + width)
        sns.heatmap(
            values[:, block], vmin=low, vmax=1, cmap="viridis", annot=True, fmt=".2f", cbar=False,
            annot_kws={"fontsize": 9}, linewidths=0.6, linecolor="white", ax=axis,
            yticklabels=rows if position == 0 else False,
            xticklabels=[str(seed) for seed in best["seed"].iloc[block]],
        )  # fmt: skip
        write_readably(axis)
        axis.set_facecolor("0.92")
        for x, term in enumerate(best["term"].iloc[block]):
            y = list(table.index).index(term)
            frame = Rectangle((x + 0.03, y + 0.04), 0.94, 0.92, fill=False, zorder=5, **FRAME)
            axis.add_patch(frame)
        if free:
            axis.axhline(len(rows) - 1, color="white", lw=5)
        title = textwrap.wrap(method_label(method, labels), max(11, int(11 * cell * width)))
        axis.set_title("\n".join(title), fontsize=9.5)
        axis.set_xlabel("seed")
        axis.tick_params(axis="both", length=0, labelrotation=0)
        position += width
    figure.set_layout_engine("constrained")  # not before: seaborn draws half-made figures
    bar = figure.colorbar(axes.flat[0].collections[0], ax=axes.ravel().tolist(), pad=0.02)
    bar.set_label("accuracy")
    handles = [Patch(fill=False, label="best gene set of the fit", **FRAME)]
    if free:
        handles.append(Patch(fc="0.92", label="has no unannotated factor"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure

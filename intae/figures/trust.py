"""How far to trust the autoencoders: their networks, the need for each term, failed ideas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colors as mpl_colors
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..prepared import split_terms
from .style import (
    Color,
    first_seed,
    method_colors,
    method_label,
    methods_in,
    readable,
    recommended_first,
    set_style,
    span,
    without_data,
    write,
)

EXACT = "(exact)"  # the reference's name in objective.csv
PARTS = {
    "best_F": "F*: what the weights leave, with the best encoder for them",
    "gap": "gap: what this network's encoder loses beside it",
    "penalty": "R: the penalty on the weights",
}
LOOKS = ((None, 0.0), ("////", 0.35), (None, 0.65))  # hatch and paleness of each part


def plot_network(
    objective: pd.DataFrame, encoders: pd.DataFrame, labels: Mapping[str, str]
) -> Figure:
    """Draw F + R of every fit in its three parts, and the agreement of each network's loadings.

    Parameters
    ----------
    objective
        The table objective.csv of one data set.
    encoders
        The table best_encoder.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    set_style()
    colors = method_colors(labels) | {EXACT: (0.25, 0.25, 0.25)}
    order = [m for m in (*labels, EXACT) if m in set(objective["method"])]
    rows = objective.set_index("method").loc[order].reset_index()
    names = [_name(row, labels) for row in rows.itertuples()]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10.5, 2.6 + 0.52 * len(rows)), sharey=True, layout="constrained",
        width_ratios=(3, 2),
    )  # fmt: skip
    y = np.arange(len(rows))
    base = np.zeros(len(rows))
    for part, (hatch, paleness) in zip(PARTS, LOOKS, strict=True):
        left.barh(
            y, rows[part], left=base, hatch=hatch, edgecolor="white", linewidth=0.5,
            color=[_pale(colors[m], paleness) for m in rows["method"]],
        )  # fmt: skip
        base += rows[part].to_numpy()
    for position, row in enumerate(rows.itertuples()):
        note = f"{row.objective:.1f} ({row.n_active} on, gap {abs(row.gap):.2f})"
        write(left, base[position], position, note)
    left.set_xlim(0, 1.42 * base.max())
    left.set_yticks(y, names)
    left.invert_yaxis()
    left.set_xlabel("equation 3 at the same penalties for all, F + R per cell")
    handles = [
        Patch(facecolor=_pale((0.25, 0.25, 0.25), p), hatch=h, edgecolor="white", label=text)
        for text, (h, p) in zip(PARTS.values(), LOOKS, strict=True)
    ]
    _draw_agreement(right, rows, encoders, colors)
    figure.legend(handles=handles, loc="outside lower left", ncols=1, frameon=False)
    sns.despine(figure)
    return figure


def _draw_agreement(
    axis: Axes, rows: pd.DataFrame, encoders: pd.DataFrame, colors: Mapping[str, Color]
) -> None:
    """Draw |r| of each term as a point in the row of its fit, with the median."""
    rng = np.random.default_rng(0)  # where points lie in their row
    for position, row in enumerate(rows.itertuples()):
        part = encoders[(encoders["method"] == row.method) & (encoders["seed"] == row.seed)]
        part = part.dropna(subset=["r"])
        r, size = part["r"].abs().to_numpy(), part["relevance"].to_numpy()
        if not len(r):
            note = "its encoder is the best one" if row.n_active else "no term is on"
            write(axis, 0.5, position, note, pad=0, ha="center", color="0.4")
            continue
        jitter = position + rng.uniform(-0.28, 0.28, len(r))
        axis.scatter(
            r, jitter, 4 + 40 * size / size.max(), alpha=0.6, color=colors[row.method], linewidth=0
        )
        axis.plot([np.median(r)] * 2, [position - 0.38, position + 0.38], color="black", lw=1.5)
        write(axis, 1.03, position, f"{np.median(r):.2f}", pad=0, annotation_clip=False)
    axis.set_xlim(0, 1.12)
    axis.set_xticks(np.linspace(0, 1, 6))
    axis.set_xlabel(
        "|r| of a term's loadings with those of\nthe best encoder for the same weights\n"
        "(area: relevance; line: median)"
    )
    axis.tick_params(axis="y", length=0)


def _name(row: Any, labels: Mapping[str, str]) -> str:
    if row.method == EXACT:
        return "no network: exact solver\nat these penalties"
    name = f"{method_label(row.method, labels)}, seed {row.seed}"
    return name if row.own else f"{method_label(row.method, labels)},\nfitted at other penalties"


def _pale(color: str | Color, paleness: float) -> Color:
    """Mix a colour with white."""
    return tuple(1 - (1 - np.array(mpl_colors.to_rgb(color))) * (1 - paleness))


REPLACEABLE = 5  # %: a term of which others take over all but this is marked
BETTER = 1e-3  # of F + R: falls by more than this without a term are said
COUNTS = 1e-3  # of F + R: what rises by less without a term has no share worth telling
ALIKE = 0.5  # |r|: a stand-in below this gives other loadings than the lost term
LINES = 0.2  # inches per line of text


def plot_necessity(
    necessity: pd.DataFrame,
    labels: Mapping[str, str],
    n_terms: int = 20,
    recommended: str | None = None,
) -> Figure:
    """Draw what F + R rises by without each term, before and after the others take over.

    Of several exact autoencoders the recommended one is drawn, or the first.

    Parameters
    ----------
    necessity
        The table necessity.csv of one data set.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    n_terms
        Number of terms, the most relevant first.
    recommended
        The method that comes first.
    """
    set_style()
    colors = method_colors(labels)
    methods = recommended_first(methods_in(necessity, labels), recommended)
    if not methods:
        return without_data("no term of these fits is on, so none is needed")
    method = methods[0]
    table = necessity[necessity["method"] == method]
    table = table[table["seed"] == first_seed(table)].nlargest(n_terms, "relevance")
    notes = [stand_in_note(row) for row in table.itertuples()]
    names = [readable(term, 44) for term in table["term"]]
    lines = [1 + max(a.count("\n"), b.count("\n")) for a, b in zip(names, notes, strict=True)]
    height = 1.6 + LINES * max(sum(lines), 3)
    figure, axis = plt.subplots(figsize=(10.5, height), layout="constrained")
    y = np.cumsum(lines) - np.array(lines) / 2
    thick = 0.7 * np.array(lines).clip(max=1.5)
    scale = 100 * table["share"] / table["necessity"]  # 100 / (F + R)
    carried = table["carried"] * scale
    axis.barh(y, carried, thick, color="0.85", label="at once, the others as they were")
    axis.barh(
        y, (table["necessity"] * scale).clip(0), thick, color=colors[method],
        label="after the others were refitted: what only this term can say",
    )  # fmt: skip
    axis.set_yticks(y, names, fontsize=8)
    axis.set_ylim(sum(lines) + 0.3, -0.3)
    right = 1.04 * carried.max()
    axis.set_xlim(0, right)
    for position, note, row in zip(y, notes, table.itertuples(), strict=True):
        color = "#A04000" if replaceable(row) else "0.2"
        write(axis, right, position, note, pad=8, annotation_clip=False, color=color)
    axis.set_title(method_label(method, labels), loc="left")
    axis.set_xlabel("how much worse the fit gets without the term, % of the objective F + R")
    figure.legend(loc="outside lower left", frameon=False)
    sns.despine(figure)
    return figure


def stand_in_note(row: Any) -> str:
    """Say in words what happens without a term, from a row of necessity.csv."""
    stand_ins = split_terms(row.stand_ins)
    percent = _irreplaceable(row)
    kept = f"{percent}% irreplaceable" if percent else "wholly replaceable"
    if row.share < -BETTER:
        kept = "better without it"
    elif not _counts(row):
        kept = f"hardly counts (rise {100 * _rise(row):.2f}%)"
    if not stand_ins:
        return f"{kept}; no term in particular takes its place"
    first = stand_ins[0].replace("_", " ")
    does = "takes its place"
    if row.stand_in_r < ALIKE:
        does = "grows most but gives other loadings"
    holds = f"|r| {row.stand_in_r:.2f}"
    if row.stand_in_holds == 1:
        holds += ", holds all its genes"
    elif not pd.isna(row.stand_in_holds):
        holds += f", holds {100 * row.stand_in_holds:.0f}% of its genes"
    more = f"; {len(stand_ins) - 1} more" if len(stand_ins) > 1 else ""
    return readable(f"{kept}: {first} {does} ({holds}{more})", 74)


def replaceable(row: Any) -> bool:
    """Say whether others take over a term that counts, all but a few per cent of it."""
    return _counts(row) and _irreplaceable(row) <= REPLACEABLE


def _irreplaceable(row: Any) -> int:
    """Return the share of a term that nothing replaces, in whole per cent: as printed."""
    return round(100 * max(0.0, row.irreplaceable))


def _rise(row: Any) -> float:
    """Return what F + R rises by at once without a term, before a refit, as a share of F + R."""
    return row.carried * row.share / row.necessity


def _counts(row: Any) -> bool:
    return not _rise(row) < COUNTS


def plot_ablation(ablation: pd.DataFrame, labels: Mapping[str, str], columns: int = 4) -> Figure:
    """Draw each score in a panel: one bar per method (the mean over seeds), one dot per seed.

    Parameters
    ----------
    ablation
        The table ablation.csv of one data set; all scores lie between 0 and 1. Where a score is a
        mean over terms, their number (n_terms) of those that were chosen (of_terms) is written.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    columns
        Panels in a row.
    """
    set_style()
    colors = method_colors(labels)
    metrics = list(dict.fromkeys(ablation["metric"]))
    methods = methods_in(ablation, labels)
    n_rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(
        n_rows, min(columns, len(metrics)), figsize=(10.5, n_rows * (1.1 + 0.42 * len(methods))),
        sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, metric in zip(axes.flat, metrics, strict=False):
        part = ablation[ablation["metric"] == metric]
        mean = part.groupby("method")["value"].mean().reindex(methods)
        axis.barh(
            [method_label(m, labels) for m in methods], mean.fillna(0),
            color=[colors[m] for m in methods],
        )  # fmt: skip
        for position, method in enumerate(methods):
            rows = part[part["method"] == method]
            own = rows["value"]
            end = own.max() if len(own) else 0
            nothing = "one seed only" if "two seeds" in metric else "none"
            note = nothing if own.isna().all() else f"{own.mean():.2f}{_mean_of(rows)}"
            if len(own) > 1:
                axis.plot(own, [position] * len(own), "o", color="black", markersize=3)
            write(axis, end, position, note)
        counted = "n_terms" in part and part["n_terms"].notna().any()
        axis.set_xlim(0, 2.0 if counted else 1.2)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title(readable(metric, 28), fontsize=10)
    for axis in axes.flat[len(metrics) :]:
        axis.set_visible(False)
    axes[0, 0].invert_yaxis()
    sns.despine(figure)
    return figure


def _mean_of(rows: pd.DataFrame) -> str:
    """Say over how many of the chosen terms a score is a mean, of one method."""
    if "n_terms" not in rows or rows["n_terms"].isna().all():
        return ""
    number = span(int(rows["n_terms"].min()), int(rows["n_terms"].max()))
    return f",\nmean of {number} of {int(rows['of_terms'].max())} terms"

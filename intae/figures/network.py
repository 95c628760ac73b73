"""What a network buys: the objective each autoencoder reaches, and its encoder against the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colors as mpl_colors
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .style import method_colors, method_label, set_style

EXACT = "(exact)"  # the reference's name in objective.csv
PARTS = {
    "best_F": "F*: what the weights leave, with the best encoder for them",
    "gap": "gap: what this network's encoder loses beside it",
    "penalty": "R: the penalty on the weights",
}
BOX = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}  # over lines
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
        1, 2, figsize=(13, 2.6 + 0.52 * len(rows)), sharey=True, layout="constrained",
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
        left.annotate(
            f"{row.objective:.1f} ({row.n_active} on, gap {abs(row.gap):.2f})",
            (base[position], position), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=8, bbox=BOX,
        )  # fmt: skip
    lowest = rows.loc[rows["method"] == EXACT, "objective"].min()
    left.axvline(lowest, color="0.25", linestyle=":", linewidth=1)
    left.set_xlim(0, 1.42 * base.max())
    left.set_yticks(y, names)
    left.invert_yaxis()
    left.set_xlabel("equation 3 at the same penalties for all, F + R per cell; lower is better")
    handles = [
        Patch(facecolor=_pale((0.25, 0.25, 0.25), p), hatch=h, edgecolor="white", label=text)
        for text, (h, p) in zip(PARTS.values(), LOOKS, strict=True)
    ]
    _draw_agreement(right, rows, encoders, colors)
    figure.legend(handles=handles, loc="outside lower left", ncols=1, frameon=False)
    sns.despine(figure)
    return figure


def _draw_agreement(axis, rows: pd.DataFrame, encoders: pd.DataFrame, colors: Mapping) -> None:
    """Draw |r| of each term, a point a term, in the row of its fit, with the median."""
    rng = np.random.default_rng(0)  # where points lie in their row
    for position, row in enumerate(rows.itertuples()):
        part = encoders[(encoders["method"] == row.method) & (encoders["seed"] == row.seed)]
        part = part.dropna(subset=["r"])
        r, size = part["r"].abs().to_numpy(), part["relevance"].to_numpy()
        if not len(r):
            note = "its encoder is the best one" if row.n_active else "no term is on"
            axis.annotate(
                note, (0.5, position), ha="center", va="center",
                fontsize=8, color="0.4",
            )  # fmt: skip
            continue
        jitter = position + rng.uniform(-0.28, 0.28, len(r))
        axis.scatter(
            r, jitter, 4 + 40 * size / size.max(), alpha=0.6, color=colors[row.method], linewidth=0
        )
        axis.plot([np.median(r)] * 2, [position - 0.38, position + 0.38], color="black", lw=1.5)
        axis.annotate(
            f"{np.median(r):.2f}", (1.03, position), va="center", fontsize=8, annotation_clip=False
        )
    axis.set_xlim(0, 1.12)
    axis.set_xticks(np.linspace(0, 1, 6))
    axis.set_xlabel(
        "|r| of a term's loadings with the best encoder's for the same\n"
        "weights (area: relevance; line: median)"
    )
    axis.tick_params(axis="y", length=0)


def _name(row, labels: Mapping[str, str]) -> str:
    if row.method == EXACT:
        return "no network: exact solver\nat these penalties"
    name = f"{method_label(row.method, labels)}, seed {row.seed}"
    return name if row.own else f"{method_label(row.method, labels)},\nfitted at other penalties"


def _pale(color, paleness: float):
    """Mix a colour with white."""
    return tuple(1 - (1 - np.array(mpl_colors.to_rgb(color))) * (1 - paleness))

"""How far a method's answer depends on the seed, the cells and the donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .style import method_colors, method_label, plural, set_style, write

KINDS = {"seeds": "another seed", "halves": "other cells", "donors": "other donors"}
SCORES = {
    "(median |r|)": "median |r| of loadings",
    "(mean |r|)": "mean |r| of loadings",
    "(Jaccard index of active terms)": "Jaccard index\nof active terms",
    "(shared of the 10 most relevant)": "shared of the\n10 most relevant",
}
JACCARD = "(Jaccard index of active terms)"
# by family: with those of the fit of all cells, else with each fit's own
BY_FAMILY = ("(Jaccard index, families of all cells)", "(Jaccard index of active families)")
AT_RANDOM = "(Jaccard index, families drawn at random)"
BAR, FAMILY_BAR = (-0.18, 0.4), (0.24, 0.3)  # places in a row, and heights, where there are both


def plot_stability(
    stability: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    roles: Mapping[str, str] | None = None,
    permuted: Sequence[str] = (),
) -> Figure:
    """Draw the summaries of the table stability.csv of one data set, one panel per score.

    Parameters
    ----------
    stability
        The table. The mean over pairs is drawn, and a line from the least to the largest. Where
        the method finds families, a second, hatched bar is the Jaccard index by family, and a
        stroke is that of families drawn at random.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    roles
        Method -> model, control or ablation, which is left out; by default all are models.
    permuted
        Methods whose gene sets are shuffled anew by each seed.
    """
    set_style()
    colors, roles = method_colors(labels), roles or {}
    rows = [
        (method, kind)
        for method in labels
        for kind in KINDS
        if ((stability["method"] == method) & (stability["kind"] == kind)).any()
        and roles.get(method) != "ablation"
    ]
    table = stability.set_index(["method", "kind", "term"]).sort_index()
    names = []
    for method, kind in rows:
        n_pairs = int(table.loc[(method, kind, "(number of pairs)"), "r"])
        changed = "another shuffle" if kind == "seeds" and method in permuted else KINDS[kind]
        names.append(f"{method_label(method, labels)}: {changed} ({plural(n_pairs, 'pair')})")
    figure, axes = plt.subplots(
        1, len(SCORES), figsize=(12.5, 1.3 + 0.46 * max(1, len(rows))), sharey=True,
        layout="constrained",
    )  # fmt: skip
    told = set()
    for axis, (score, title) in zip(axes, SCORES.items(), strict=True):
        form = ".1f" if "shared" in score else ".2f"
        for y, (method, kind) in enumerate(rows):
            own, color = table.loc[(method, kind)], colors[method]
            family = next((s for s in BY_FAMILY if s in own.index), None)
            if score != JACCARD or family is None:
                _bar(axis, y, own.loc[score], form, color=color, height=0.8)
                continue
            told.add("family")
            _bar(axis, y + BAR[0], own.loc[score], form, color=color, height=BAR[1])
            place, height = FAMILY_BAR
            style = {"color": color, "height": height, "hatch": "////", "edgecolor": "white"}
            _bar(axis, y + place, own.loc[family], form, lw=0, **style)
            if AT_RANDOM in own.index:
                told.add("random")
                at, reach = own.loc[AT_RANDOM, "r"], height / 2 + 0.06
                axis.vlines(at, y + place - reach, y + place + reach, color="0.15", lw=1.2, ls=":")
        axis.set_xlim(0, 12.5 if "shared" in score else 1.25)  # room for the numbers
        axis.set_xticks([0, 5, 10] if "shared" in score else [0, 0.5, 1])
        axis.set_title(title, fontsize=10)
    axes[0].set_yticks(range(len(rows)), names)
    axes[0].set_ylim(max(1, len(rows)) - 0.4, -0.6)
    _family_legend(figure, told)
    sns.despine(figure)
    return figure


def _bar(axis: Axes, y: float, score: pd.Series, form: str, **style: Any) -> None:
    """Draw the mean over pairs, a line from the least to the largest, and the number."""
    axis.barh(y, score["r"], **style)
    if score["r_max"] > score["r_min"]:
        axis.hlines(y, score["r_min"], score["r_max"], color="0.15", lw=1.6)
    end = score["r"] if np.isnan(score["r_max"]) else score["r_max"]
    write(axis, end, y, f"{score['r']:{form}}", pad=3)


def _family_legend(figure: Figure, told: set[str]) -> None:
    """Explain the second bar of a row, where there is one."""
    if not told:
        return
    plain, hatched = {"fc": "0.6"}, {"fc": "0.6", "hatch": "////", "ec": "white", "lw": 0}
    handles = [
        Patch(label="Jaccard index by term", **plain),
        Patch(label="by family (terms among which the data cannot decide)", **hatched),
    ]
    if "random" in told:
        label = "by as many families of the same sizes, drawn at random"
        handles.append(Line2D([], [], color="0.15", lw=1.2, ls=":", label=label))
    figure.legend(handles=handles, loc="outside lower right", ncols=3, frameon=False)

"""How far a method's answer depends on the seed, the cells and the donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from .style import method_colors, method_label, plural, set_style, write

KINDS = {"seeds": "another seed", "halves": "other cells", "donors": "other donors"}
SCORES = {
    "(median |r|)": "median |r| of loadings",
    "(mean |r|)": "mean |r| of loadings",
    "(Jaccard index of active terms)": "Jaccard index\nof active terms",
    "(shared of the 10 most relevant)": "shared of the\n10 most relevant",
}


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
        The table. The mean over pairs is drawn, and a line from the least to the largest.
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
    table = stability.set_index(["method", "kind", "term"])
    names = []
    for method, kind in rows:
        n_pairs = int(table.loc[(method, kind, "(number of pairs)"), "r"])
        changed = "another shuffle" if kind == "seeds" and method in permuted else KINDS[kind]
        names.append(f"{method_label(method, labels)}: {changed} ({plural(n_pairs, 'pair')})")
    figure, axes = plt.subplots(
        1, len(SCORES), figsize=(12.5, 1.2 + 0.42 * max(1, len(rows))), sharey=True,
        layout="constrained",
    )  # fmt: skip
    for axis, (score, title) in zip(axes, SCORES.items(), strict=True):
        part = table.loc[[(method, kind, score) for method, kind in rows]]
        bars = axis.barh(names, part["r"], color=[colors[method] for method, _ in rows])
        spread = part["r_max"] > part["r_min"]
        axis.hlines(
            np.flatnonzero(spread), part.loc[spread, "r_min"], part.loc[spread, "r_max"],
            color="0.15", lw=1.6,
        )  # fmt: skip
        ends = part["r_max"].fillna(part["r"])
        for bar, value, end in zip(bars, part["r"], ends, strict=True):
            note = f"{value:.1f}" if "shared" in score else f"{value:.2f}"
            write(axis, end, bar.get_y() + bar.get_height() / 2, note, pad=3)
        axis.set_xlim(0, 12.5 if "shared" in score else 1.25)  # room for the numbers
        axis.set_xticks([0, 5, 10] if "shared" in score else [0, 0.5, 1])
        axis.set_title(title, fontsize=10)
    if rows:
        axes[0].invert_yaxis()
    sns.despine(figure)
    return figure

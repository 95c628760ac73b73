"""Which term separates the condition: by number of dense factors, and by seed alone."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from .style import method_label, readable, set_style, without_data

UNANNOTATED = "best unannotated factor"


def plot_dense_factors(
    best: pd.DataFrame,
    accuracy: pd.DataFrame,
    labels: Mapping[str, str],
    terms: Sequence[str] = (),
    guess: float | None = None,
) -> Figure:
    """Draw the accuracy of terms, a column a fit, with each fit's best term framed.

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
    rows = [readable(term, 60) for term in table.index]
    values = table.to_numpy(float)
    free = best["unannotated_accuracy"].notna().any()
    if free:
        rows.append(UNANNOTATED)
        values = np.vstack([values, best["unannotated_accuracy"].to_numpy(float)])
    methods = list(dict.fromkeys(best["method"]))
    widths = [sum(best["method"] == m) for m in methods]
    cell = max(0.7, 0.98 / min(widths))  # inches; a name stands over each block
    figure, axes = plt.subplots(
        1, len(methods), figsize=(5.8 + cell * len(best), 2.3 + 0.36 * len(rows)),
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
        axis.set_facecolor("0.92")
        for x, term in enumerate(best["term"].iloc[block]):
            y = list(table.index).index(term)
            axis.add_patch(
                Rectangle(
                    (x + 0.03, y + 0.04), 0.94, 0.92, fill=False, ec="#D7191C", lw=2.4, zorder=5
                )
            )
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
    handles = [Patch(fill=False, ec="#D7191C", lw=2.4, label="best gene set of the fit")]
    if free:
        handles.append(Patch(fc="0.92", label="has no unannotated factor"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure

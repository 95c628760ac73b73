"""How well weights correct gene sets with wrong and missing genes, over several draws."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from ..metrics.corrupted import POOLED, POOLED_ON
from .draws import Line, Panel, draw_means, plot_draws
from .style import NO_TERMS, methods_in, without_data

PANELS = (
    Panel("active", "share of terms\nthat are on", 1.0),
    Panel("all genes", "all genes:\nright ones above all others", 1.0),
    Panel("inside", "genes in the corrupted sets:\nright above wrong ones", 1.0),
    Panel("outside", "genes outside:\nthose taken out above the rest", 1.0),
)
MASK = "the corrupted gene set itself, without weights"
CHANCE = "genes in random order"


def plot_corrupted(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw average precisions of genes by |weight|, means over the terms that are on.

    Parameters
    ----------
    table
        The table corrupted.csv of the draws of one entry.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    """
    methods = methods_in(table, labels)
    if not methods:
        return without_data(NO_TERMS)
    table = table[~table["term"].isin([POOLED, POOLED_ON])]
    keys = ["dataset", "method", "seed", "term"]
    active = table[table["metric"] == "active"]
    of_active = table[table["metric"] != "active"].merge(active.loc[active["value"] == 1, keys])
    means = draw_means(pd.concat([active, of_active]))
    scale = draw_means(table).groupby("metric")["value"].mean()
    lines = [Line("all genes", scale["mask"], "--", MASK)]
    for metric in ("all genes", "inside", "outside"):
        if f"{metric} by chance" in scale:
            lines.append(Line(metric, scale[f"{metric} by chance"], ":", CHANCE))
    return plot_draws(means, methods, labels, PANELS, lines)

"""A map of the cells, coloured by their labels and by the terms that matter most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import label_colors, readable, set_style

COLUMNS = 3
LABELS = {"condition": "condition", "cell_type": "cell type"}
ENDS = (0.01, 0.99)  # quantiles at which the colours of loadings end
MANY = 12  # values of a label, from which on they are not named


def plot_umap(
    embedding: pd.DataFrame,
    obs: pd.DataFrame,
    loadings: pd.DataFrame,
    terms: Sequence[str],
    conditions: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the cells on a map: one panel per label that they have, one per term.

    Parameters
    ----------
    embedding
        Indexed by cell: umap_1, umap_2; see :mod:`intae.page.embedding`.
    obs, loadings
        Of all cells, by their names; loadings cells x terms.
    terms
        The terms to draw.
    conditions
        Value of the condition -> its name.
    """
    set_style()
    roles = [role for role in LABELS if role in obs]
    n = len(roles) + len(terms)
    columns = min(COLUMNS, n)
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.5 * columns, 3.3 * rows), squeeze=False, layout="constrained"
    )
    order = np.random.default_rng(0).permutation(len(embedding))  # no group lies on top
    places = embedding[["umap_1", "umap_2"]].to_numpy()[order]
    cells = embedding.index[order]
    size = float(np.clip(6000 / len(embedding), 1.5, 12))
    for axis, role in zip(axes.flat, roles, strict=False):
        values = obs.loc[cells, role].astype(str)
        values = (
            values.map(lambda v: (conditions or {}).get(v, v)) if role == "condition" else values
        )
        _by_label(axis, places, values, role, size)
    for axis, term in zip(axes.flat[len(roles) :], terms, strict=False):
        z = loadings.loc[cells, term].to_numpy(float)
        low, high = np.quantile(z, ENDS)
        up = np.argsort(z)
        axis.scatter(*places[up].T, c=z[up], s=size, lw=0, cmap="viridis", vmin=low, vmax=high)
        axis.set_title(readable(term, 34), fontsize=9)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def _by_label(axis: Axes, places: np.ndarray, values: pd.Series, role: str, size: float) -> None:
    names = sorted(values.unique())
    colors = label_colors(names, role)
    axis.scatter(*places.T, c=[colors[v] for v in values], s=size, lw=0)
    axis.set_title(LABELS[role], fontsize=9, fontweight="bold")
    if len(names) > MANY:
        return
    for name in names:
        axis.scatter([], [], s=30, color=colors[name], label=name)
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.0), fontsize=7, frameon=False, handletextpad=0,
        ncols=2, columnspacing=0.8,
    )  # fmt: skip

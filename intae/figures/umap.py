"""Maps of the cells, coloured by their labels and by the terms that matter most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .groups import palette_of
from .style import Color, set_style

LABELS = {"condition": "condition", "cell_type": "cell type"}
ENDS = (0.01, 0.99)  # quantiles at which the colours of loadings end
MANY = 14  # values of a label, from which on they are not named


def plot_umap(
    embedding: pd.DataFrame,
    obs: pd.DataFrame,
    loadings: pd.DataFrame,
    terms: Sequence[str],
    conditions: Mapping[str, str] | None = None,
) -> dict[str, Figure]:
    """Draw the cells on a map, a figure per label that they have and per term.

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

    Returns
    -------
    Label or term -> its figure, without a title.
    """
    set_style()
    order = np.random.default_rng(0).permutation(len(embedding))  # no group lies on top
    places = embedding[["umap_1", "umap_2"]].to_numpy()[order]
    cells = embedding.index[order]
    size = float(np.clip(6000 / len(embedding), 1.5, 12))
    found = {}
    for role, name in LABELS.items():
        if role in obs:
            values, palette = (
                obs.loc[cells, role].astype(str),
                palette_of(obs[role], role, conditions),
            )
            found[name] = _panel()
            _by_label(found[name].axes[0], places, values, palette, size)
    for term in terms:
        z = loadings.loc[cells, term].to_numpy(float)
        low, high = np.quantile(z, ENDS)
        up = np.argsort(z)
        found[term] = _panel()
        axis = found[term].axes[0]
        axis.scatter(*places[up].T, c=z[up], s=size, lw=0, cmap="viridis", vmin=low, vmax=high)
    return found


def _panel() -> Figure:
    figure = Figure(figsize=(3.6, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    return figure


def _by_label(
    axis: Axes,
    places: np.ndarray,
    values: pd.Series,
    palette: Mapping[str, tuple[str, Color]],
    size: float,
) -> None:
    axis.scatter(*places.T, c=[palette[v][1] for v in values], s=size, lw=0)
    if len(palette) > MANY:
        return
    for name, color in palette.values():
        axis.scatter([], [], s=30, color=color, label=name)
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.02), fontsize=8, frameon=False,
        handletextpad=0, ncols=2, columnspacing=0.8,
    )  # fmt: skip

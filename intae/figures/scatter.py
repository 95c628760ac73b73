"""Loadings of two terms, cell by cell."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
import seaborn as sns
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ..files import loadings
from .style import label_colors, method_label, readable, set_style

ROLES = {"condition": "condition", "cell_type": "cell type", "batch": "batch", "donor": "donor"}


def best_terms(fit: AnnData) -> list[str]:
    """Return the two most relevant annotated terms of a fit, active ones first."""
    terms = fit.uns["terms"]
    terms = terms[terms["kind"] == "annotated"]
    return list(terms.sort_values(["active", "relevance"], ascending=False).index[:2])


def plot_scatter(
    fits: Mapping[str, AnnData], terms: tuple[str, str], labels: Mapping[str, str]
) -> Figure:
    """Draw the loadings of two terms, a panel a method and label of the cells.

    Parameters
    ----------
    fits
        Method -> a fit that has both terms.
    terms
        The terms of the horizontal and the vertical axis.
    labels
        Method -> its name in figures.
    """
    set_style()
    any_fit = next(iter(fits.values()))
    roles = [role for role in ROLES if role in any_fit.obs][:2]
    # two labels side by side; with one, two methods side by side
    panels = [(method, fit, role) for method, fit in fits.items() for role in roles or [None]]
    rows = -(-len(panels) // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(11.2, 3.6 * rows), squeeze=False, layout="constrained"
    )
    order = np.random.default_rng(0).permutation(any_fit.n_obs)  # no group lies on top
    for axis, (method, fit, role) in zip(axes.flat, panels, strict=False):
        z = loadings(fit)[list(terms)].to_numpy(float)[order]
        hue = None if role is None else fit.obs[role].astype(str).to_numpy()[order]
        palette = None if hue is None else label_colors(sorted(set(hue)))
        size = min(30, max(3, 20_000 / len(z) ** 0.9))
        sns.scatterplot(
            x=z[:, 0], y=z[:, 1], hue=hue, hue_order=palette, palette=palette, s=size,
            linewidth=0, alpha=0.7, ax=axis, rasterized=True,
        )  # fmt: skip
        axis.set_xlabel(readable(terms[0], 44))
        axis.set_ylabel(readable(terms[1], 30))
        off = [t for t in terms if not fit.uns["terms"].loc[t, "active"]]
        note = " and ".join(readable(t, 99) for t in off)
        note = f"off: {note}" if off else ""
        note = "\n".join(textwrap.wrap(note, 46))
        axis.set_title("\n".join([method_label(method, labels), note.strip()]).strip(),
                       loc="left")  # fmt: skip
        if role is not None:
            axis.legend(title=ROLES[role], loc="center left", bbox_to_anchor=(1.0, 0.5),
                        frameon=False, markerscale=2 if len(z) > 1000 else 1)  # fmt: skip
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    return figure

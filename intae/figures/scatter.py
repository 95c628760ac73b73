"""Loadings of two terms, cell by cell."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import seaborn as sns
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..files import loadings
from .group_order import order_conditions
from .style import Color, label_colors, method_label, set_style, term_label, without_data

log = logging.getLogger(__name__)

ROLES = {"condition": "condition", "cell_type": "cell type", "batch": "batch", "donor": "donor"}
FEW = 20  # a group of fewer cells says little
NO_FIT = "no method has finished its fit"
Near = Mapping[str, Mapping[str, str | None]]


def choose_terms(
    fits: Mapping[str, AnnData], wanted: Sequence[str], *, exactly: int | None = None
) -> list[str]:
    """Return the terms to draw: those wanted that the fits have, else the most relevant ones.

    Parameters
    ----------
    fits
        Method -> a fit; all have the same annotated terms.
    wanted
        Names of terms, perhaps of other data.
    exactly
        Take the wanted terms only if the fits have so many of them; by default at least one.

    Returns
    -------
    Names; without a fit none. The most relevant are two (or `exactly`) of the first fit, active
    ones first.
    """
    if not fits:
        return []
    terms = next(iter(fits.values())).uns["terms"]
    terms = terms[terms["kind"] == "annotated"]
    absent = [term for term in wanted if term not in terms.index]
    if absent:
        log.warning("not terms of these data, so left out: %s", ", ".join(absent))
    known = [term for term in wanted if term in terms.index]
    if len(known) >= (exactly or 1):
        return known[:exactly]
    log.info("the most relevant terms are drawn")
    best = terms.sort_values(["active", "relevance"], ascending=False)
    return list(best.index[: exactly or 2])


def only_active(fits: Mapping[str, AnnData], terms: Sequence[str]) -> Near:
    """Return for each method which of the terms to draw: itself, or none where it is off."""
    on = {method: fit.uns["terms"]["active"].astype(bool) for method, fit in fits.items()}
    return {m: {term: term if on[m][term] else None for term in terms} for m in fits}


def plot_scatter(
    fits: Mapping[str, AnnData],
    terms: Sequence[str],
    labels: Mapping[str, str],
    near: Near | None = None,
    conditions: Mapping[str, str] | None = None,
    *,
    separation: pd.DataFrame | None = None,
) -> Figure:
    """Draw the loadings of two terms: a row a method, a column a label of the cells.

    One seed is drawn; the axes say how well the term separates the cells from all seeds.

    Parameters
    ----------
    fits
        Method -> a fit that has both terms.
    terms
        The terms of the horizontal and the vertical axis.
    labels
        Method -> its name in figures.
    near
        Method -> term -> the term drawn in its place, where it is off (None: none; cells are
        spread along that axis at random); see
        :func:`intae.metrics.terms.active_or_nearest`. By default none is.
    conditions
        Value of the condition -> its name, in the order wanted.
    separation
        The table separation.csv of the data set, of all seeds.
    """
    set_style()
    if not fits:
        return without_data(NO_FIT)
    near = near or only_active(fits, terms)
    obs = next(iter(fits.values())).obs
    roles = [role for role in ROLES if role in obs][:2]
    hues = {role: _palette(obs[role], role, conditions or {}) for role in roles}
    # two labels side by side; with one, two methods side by side
    panels = [(method, fit, role) for method, fit in fits.items() for role in roles or [None]]
    n_rows, size = -(-len(panels) // 2), min(30, max(3, 20_000 / len(obs) ** 0.9))
    n_columns = min(2, len(panels))
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(4.4 * n_columns + 2.2, 3.7 * n_rows + 0.4), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    order = np.random.default_rng(0).permutation(len(obs))  # no group lies on top
    for axis, (method, fit, role) in zip(axes.flat, panels, strict=False):
        x, y = (near[method][term] for term in terms)
        said = partial(_separated, separation, method, role=role, hues=hues)
        axis.set_xlabel(term_label(terms[0], x, 44) + said(x))
        axis.set_ylabel(term_label(terms[1], y, 30) + said(y))
        title = f"{method_label(method, labels)}, seed {fit.uns['fit']['seed']}"
        title = [*textwrap.wrap(title, 40), *([f"by {ROLES[role]}"] if role else [])]
        axis.set_title("\n".join(title), loc="left")
        if x is None and y is None:
            _nothing(axis)
            continue
        z = np.column_stack([_loading(fit, x), _loading(fit, y)])[order]
        for off, side in ((x is None, axis.xaxis), (y is None, axis.yaxis)):
            if off:  # cells are spread along it to be seen
                side.set_ticks([])
        colors = "0.4"
        if role is not None:
            values = obs[role].astype(str).to_numpy()[order]
            colors = [hues[role][value][1] for value in values]
        axis.scatter(*z.T, c=colors, s=size, lw=0, alpha=0.7, rasterized=True)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    if roles:
        figure.legend(
            handles=_handles(hues), loc="outside right upper", frameon=False, alignment="left"
        )
    sns.despine(figure)
    return figure


def _separated(
    separation: pd.DataFrame | None,
    method: str,
    term: str | None,
    *,
    role: str | None,
    hues: Mapping[str, Mapping[str, tuple[str, Color]]],
) -> str:
    """Say which value of a label a term separates best, and how well from each seed."""
    if separation is None or term is None:
        return ""
    rows = separation[(separation["method"] == method) & (separation["term"] == term)]
    rows = rows[(rows["label"] == role) & (rows["n_cells"] >= FEW)]
    if rows.empty:
        return ""
    auroc = rows["auroc"].where(rows["auroc"] >= 0.5, 1 - rows["auroc"])
    best = auroc.groupby(rows["value"].astype(str)).mean().idxmax()
    values = auroc[rows["value"].astype(str) == best]
    low, mean, high = (f"{v:.3f}" for v in (values.min(), values.mean(), values.max()))
    said = f"\nAUROC {mean}"
    if len(values) > 1:
        said += f" ({low} to {high}, {len(values)} seeds)"
    if len(hues[role]) > 2:  # of two values both are separated as well
        said = f"\nbest separated: {hues[role][best][0]}{said}"
    return said


def _palette(
    values: pd.Series, role: str, conditions: Mapping[str, str]
) -> dict[str, tuple[str, Color]]:
    """Give each value of a label its name and colour, in order."""
    if role == "condition":
        names = order_conditions(values, conditions)
    else:
        names = {value: value for value in sorted(set(values.astype(str)))}
    colors = label_colors(list(names), role)
    return {value: (name, colors[value]) for value, name in names.items()}


def _handles(hues: Mapping[str, Mapping[str, tuple[str, Color]]]) -> list[Line2D]:
    """Make one legend of all labels: a heading each, then its values."""
    handles = []
    for role, values in hues.items():
        heading = ROLES[role] if not handles else f"\n{ROLES[role]}"
        handles.append(Line2D([], [], ls="", label=heading))
        handles += [
            Line2D([], [], ls="", marker="o", ms=6, color=color, label=name)
            for name, color in values.values()
        ]
    return handles


def _loading(fit: AnnData, term: str | None) -> np.ndarray:
    """Return the loadings of a term; of one that is off, random numbers that spread the cells."""
    if term is None:
        return np.random.default_rng(1).uniform(-1, 1, fit.n_obs)
    return loadings(fit)[term].to_numpy(float)


def _nothing(axis: Axes) -> None:
    axis.text(
        0.5, 0.5, "nothing to draw: both are off,\nand no active term is near them",
        ha="center", va="center", color="0.4", transform=axis.transAxes,
    )  # fmt: skip
    axis.set_xticks([])
    axis.set_yticks([])

"""Loadings of terms by cell type and condition."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..files import loadings
from .group_order import choose_cell_types, order_conditions
from .scatter import FEW, NO_FIT, Near, only_active
from .style import label_colors, method_label, set_style, term_label, without_data

DIAMOND = {"marker": "D", "ms": 4.5, "mfc": "white", "mec": "0.1", "mew": 0.9}
N_CELL_TYPES = {True: 4, False: 12}  # where there are conditions, where not


def plot_loadings(
    fits: Mapping[str, AnnData],
    terms: Sequence[str],
    labels: Mapping[str, str],
    near: Near | None = None,
    conditions: Mapping[str, str] | None = None,
    cell_types: Sequence[str] = (),
    *,
    others: Mapping[str, Sequence[AnnData]] | None = None,
) -> Figure:
    """Draw the distributions of loadings: a row a method, a column a term.

    Cell types stand side by side, each with one violin a condition; the line in it is from the
    first to the third quartile, the white stroke the median. Diamonds are the medians that other
    seeds give, on the scale of the fit that is drawn.

    Parameters
    ----------
    fits
        Method -> a fit, with condition or cell_type (or both) among the labels of its cells.
    terms
        Names of annotated terms.
    labels
        Method -> its name in figures.
    near
        Method -> term -> the term drawn in its place, as for `plot_scatter`.
    conditions
        Value of the condition -> its name, in the order wanted.
    cell_types
        Cell types, in the order wanted; by default the most frequent.
    others
        Method -> its fits of the same cells from other seeds.
    """
    set_style()
    if not fits:
        return without_data(NO_FIT)
    near = near or only_active(fits, terms)
    obs = next(iter(fits.values())).obs
    groups = _groups(obs, conditions or {}, cell_types)
    wide, hues = list(groups["x"].cat.categories), list(groups["hue"].cat.categories)
    colors = label_colors(hues) if hues else label_colors(wide, "cell_type")
    turned = len(wide) > 5  # names need too much room side by side
    names = [_with_counts(groups, x, hues, one_line=turned) for x in wide]
    longest = max(len(line) for name in names for line in name.split("\n"))
    per_group = 0.42 + 0.26 * len(hues) if hues else 0.5
    width = max(3.4, 1.1 + len(wide) * max(per_group, 0 if turned else 0.068 * longest))
    figure, axes = plt.subplots(
        len(fits), len(terms), sharex=True, squeeze=False, layout="constrained",
        figsize=(width * len(terms) + 0.6, 2.3 * len(fits) + (1.9 if turned else 1.1)),
    )  # fmt: skip
    for row, (method, fit) in zip(axes, fits.items(), strict=True):
        for axis, term in zip(row, terms, strict=True):
            shown = near[method][term]
            title = term_label(term, shown, max(36, int(11.8 * width)))
            if shown is not None:
                z = loadings(fit)[shown]
                _violins(axis, groups.assign(loading=z), colors, bool(hues))
                own = (others or {}).get(method, ())
                on = [f for f in own if f.uns["terms"].loc[shown, "active"]]
                for other in on:
                    rescaled = _on_the_scale_of(z, loadings(other)[shown])
                    _medians(axis, groups.assign(loading=rescaled), bool(hues))
                if len(on) < len(own):
                    title += f"\n(on from {1 + len(on)} of {1 + len(own)} seeds)"
            else:
                _nothing(axis)
            axis.set_title(title, loc="left", fontsize=9)
            axis.set_xticks(range(len(wide)), names, fontsize=8)
            axis.set_xlim(-0.5, len(wide) - 0.5)
            axis.set(xlabel="", ylabel="")
            if turned:
                plt.setp(axis.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
        row[0].set_ylabel("\n".join([*textwrap.wrap(method_label(method, labels), 22), "loading"]))
    handles = [Patch(color=colors[hue], label=hue) for hue in hues]
    if any((others or {}).values()):
        handles.append(Line2D([], [], ls="", label="median from another seed", **DIAMOND))
    if handles:
        figure.legend(
            handles=handles, loc="outside upper center", ncols=len(handles), frameon=False
        )
    sns.despine(figure)
    return figure


def _groups(
    obs: pd.DataFrame, conditions: Mapping[str, str], cell_types: Sequence[str]
) -> pd.DataFrame:
    """Say which violin each cell is in: x (cell type, else condition) and hue (condition)."""
    groups = pd.DataFrame(index=obs.index)
    names = order_conditions(obs["condition"], conditions) if "condition" in obs else {}
    condition = None
    if names:
        condition = obs["condition"].astype(str).map(names)
        condition = pd.Categorical(condition, list(dict.fromkeys(names.values())))
    if "cell_type" in obs:
        shown = choose_cell_types(obs["cell_type"], cell_types, N_CELL_TYPES[bool(names)])
        groups["x"] = pd.Categorical(obs["cell_type"].astype(str), shown)
        groups["hue"] = condition if names else pd.Categorical([np.nan] * len(obs), [])
    else:
        groups["x"] = condition
        groups["hue"] = pd.Categorical([np.nan] * len(obs), [])
    return groups


def _with_counts(groups: pd.DataFrame, x: str, hues: Sequence[str], *, one_line: bool) -> str:
    """Name a group with its number of cells, a number a condition."""
    part = groups[groups["x"] == x]
    counts = [int((part["hue"] == hue).sum()) for hue in hues] or [len(part)]
    n = "n = " + " / ".join(f"{count:,}" for count in counts)
    if one_line:
        return f"{x} ({n})"
    return "\n".join([*textwrap.wrap(x, 18), *textwrap.wrap(n, 20)])


def _violins(axis: Axes, groups: pd.DataFrame, colors: Mapping[str, object], split: bool) -> None:
    """Draw the groups of one term: violins, and dots where there are few cells.

    An outline of few cells would be made up.
    """
    x, hue = groups["x"], groups["hue"] if split else groups["x"]
    groups = groups.assign(hue=hue)[x.notna()]
    order, hue_order = list(x.cat.categories), list(hue.cat.categories)
    n = groups.groupby(["x", "hue"], observed=True)["loading"].transform("size")
    shared = {"x": "x", "y": "loading", "hue": "hue", "order": order, "hue_order": hue_order}
    shared |= {"palette": colors, "dodge": split, "legend": False, "ax": axis}
    many, few = groups[n >= FEW], groups[n < FEW]
    if len(many):
        sns.violinplot(
            many, **shared, density_norm="width", cut=0, linewidth=0.6, saturation=1, inner="box",
            inner_kws={"box_width": 3.5, "whis_width": 0, "color": "0.15"},
        )  # fmt: skip
    if len(few):
        sns.stripplot(few, **shared, size=3, jitter=0.15, alpha=0.8)


def _on_the_scale_of(z: pd.Series, other: pd.Series) -> pd.Series:
    """Give another seed's loadings the mean and the spread of these, and their sign.

    A seed chooses scale and sign freely; what differs after that is the answer.
    """
    sign = np.sign(np.corrcoef(z, other)[0, 1])
    return z.mean() + sign * (other - other.mean()) * (z.std() / other.std())


def _medians(axis: Axes, groups: pd.DataFrame, split: bool) -> None:
    """Mark the median of each group, beside the bar of its violin."""
    x, hue = groups["x"], groups["hue"] if split else groups["x"]
    n_hues = len(hue.cat.categories) if split else 1
    median = groups.assign(hue=hue).groupby(["x", "hue"], observed=True)["loading"].median()
    width = 0.8 / n_hues  # of a violin, as seaborn draws it
    for (group, value), loading in median.items():
        place = list(hue.cat.categories).index(value) if split else 0
        center = list(x.cat.categories).index(group) + (place - (n_hues - 1) / 2) * width
        axis.plot(center + 0.2 * width, loading, ls="", zorder=5, **DIAMOND)


def _nothing(axis: Axes) -> None:
    axis.text(
        0.5, 0.5, "off, and no active term is near it", ha="center", va="center", color="0.4",
        transform=axis.transAxes,
    )  # fmt: skip
    axis.set_yticks([])

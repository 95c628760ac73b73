"""Loadings of terms in cells: of two terms cell by cell, and by cell type and condition."""

from __future__ import annotations

import difflib
import logging
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import IntaeError, suggest
from ..fits import Fit
from .groups import choose_cell_types, order_conditions, palette_of
from .style import Color, method_label, say, set_style, term_label, without_data

log = logging.getLogger(__name__)

# roles of labels, in the order in which figures show them
ROLES = {"condition": "condition", "cell_type": "cell type", "batch": "batch", "donor": "donor"}
FEW = 20  # a group of fewer cells says little
N_CELL_TYPES = {True: 4, False: 12}  # where there are conditions, where not
NO_FIT = "no method has finished its fit"
DIAMOND = {"marker": "D", "ms": 4.5, "mfc": "white", "mec": "0.1", "mew": 0.9}
Near = Mapping[str, Mapping[str, str | None]]


def choose_terms(
    fits: Mapping[str, Fit], wanted: Sequence[str], *, exactly: int | None = None
) -> list[str]:
    """Return the terms to draw: those wanted that the fits have, or the most relevant ones.

    Parameters
    ----------
    fits
        Method -> a fit; all have the same annotated terms.
    wanted
        Names of terms, perhaps of other data.
    exactly
        So many of the wanted terms are needed; by default one.

    Returns
    -------
    Names; without a fit none. The most relevant are two (or `exactly`) of the first fit, active
    ones first.

    Raises
    ------
    IntaeError
        If terms are wanted, and the fits do not have enough of them: a figure of others would not
        be what was asked for.
    """
    if not fits:
        return []
    terms = next(iter(fits.values())).terms
    terms = terms[terms["kind"] == "annotated"]
    absent = [term for term in wanted if term not in terms.index]
    if absent and len(terms) and len(wanted) - len(absent) < (exactly or 1):
        msg = f"analyses: {absent[0]!r} is no term of these data{_near(absent[0], terms.index)}"
        raise IntaeError(msg)
    if absent:
        log.warning("not terms of these data, so left out: %s", ", ".join(absent))
    known = [term for term in wanted if term in terms.index]
    if len(known) >= (exactly or 1):
        return known[:exactly]
    log.info("the most relevant terms are drawn")
    best = terms.sort_values(["active", "relevance"], ascending=False)
    return list(best.index[: exactly or 2])


def _near(term: str, known: pd.Index) -> str:
    return suggest(term, difflib.get_close_matches(term, known, n=1) or [*known[:5], "..."])


def only_own(fits: Mapping[str, Fit], terms: Sequence[str]) -> Near:
    """Return for each method which of the terms to draw: itself, or none without loadings."""
    return {m: {t: t if fit.has_loadings(t) else None for t in terms} for m, fit in fits.items()}


def _title(fit: Fit, asked: str, shown: str | None, width: int) -> str:
    """Name the term that is drawn, and say where it is off but read."""
    title = term_label(asked, shown, width)
    return title if shown is None or fit.terms.loc[shown, "active"] else f"{title}\n(off, but read)"


def plot_scatter(
    fits: Mapping[str, Fit],
    terms: Sequence[str],
    labels: Mapping[str, str],
    near: Near | None = None,
    conditions: Mapping[str, str] | None = None,
    *,
    separation: pd.DataFrame | None = None,
) -> Figure:
    """Draw the loadings of two terms: one row per method, one column per label of the cells.

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
        Method -> term -> the term drawn for it: itself, or one in its place where it is off and
        not read (None: none; cells are spread along that axis at random); see
        `intae.metrics.terms.own_or_nearest`. By default none is.
    conditions
        Value of the condition -> its name, in the order wanted.
    separation
        The table separation.csv of the data set, of all seeds.
    """
    set_style()
    if not fits:
        return without_data(NO_FIT)
    near = near or only_own(fits, terms)
    obs = next(iter(fits.values())).obs
    roles = [role for role in ROLES if role in obs][:2]
    hues = {role: palette_of(obs[role], role, conditions or {}) for role in roles}
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
        axis.set_xlabel(_title(fit, terms[0], x, 44) + said(x))
        axis.set_ylabel(_title(fit, terms[1], y, 30) + said(y))
        title = f"{method_label(method, labels)}, seed {fit.about['seed']}"
        title = [*textwrap.wrap(title, 40), *([f"by {ROLES[role]}"] if role else [])]
        axis.set_title("\n".join(title), loc="left")
        if x is None and y is None:
            say(axis, "nothing to draw: both are off,\nand no active term is near them")
            axis.set(xticks=[], yticks=[])
            continue
        z = np.column_stack([_loading(fit, x), _loading(fit, y)])[order]
        for shown, side in ((x, axis.xaxis), (y, axis.yaxis)):
            if shown is None:  # cells are spread along it to be seen
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


def _handles(hues: Mapping[str, Mapping[str, tuple[str, Color]]]) -> list[Line2D]:
    """Make one legend of all labels, each with a heading and its values."""
    handles = []
    for role, values in hues.items():
        heading = ROLES[role] if not handles else f"\n{ROLES[role]}"
        handles.append(Line2D([], [], ls="", label=heading))
        handles += [
            Line2D([], [], ls="", marker="o", ms=6, color=color, label=name)
            for name, color in values.values()
        ]
    return handles


def _loading(fit: Fit, term: str | None) -> np.ndarray:
    """Return the loadings of a term; of none, random numbers that spread the cells."""
    if term is None:
        return np.random.default_rng(1).uniform(-1, 1, len(fit.loadings))
    return fit.loadings[term].to_numpy(float)


def plot_loadings(
    fits: Mapping[str, Fit],
    terms: Sequence[str],
    labels: Mapping[str, str],
    near: Near | None = None,
    conditions: Mapping[str, str] | None = None,
    cell_types: Sequence[str] = (),
    *,
    others: Mapping[str, Sequence[Fit]] | None = None,
) -> Figure:
    """Draw the distributions of loadings: one row per method, one column per term.

    Cell types stand side by side, each with one violin per condition; the line in it is from the
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
    near = near or only_own(fits, terms)
    obs = next(iter(fits.values())).obs
    groups, split = _groups(obs, conditions or {}, cell_types)
    wide = list(groups["x"].cat.categories)
    hues = list(groups["hue"].cat.categories) if split else []
    role = "condition" if "condition" in obs else "cell_type"
    colors = dict(palette_of(obs[role], role, conditions or {}).values())
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
            title = _title(fit, term, shown, max(36, int(11.8 * width)))
            if shown is not None:
                z = fit.loadings[shown]
                _violins(axis, groups.assign(loading=z), colors, split=split)
                own = (others or {}).get(method, ())
                on = [f for f in own if f.has_loadings(shown)]
                for other in on:
                    rescaled = _on_the_scale_of(z, other.loadings[shown])
                    _medians(axis, groups.assign(loading=rescaled), split=split)
                if len(on) < len(own):
                    title += f"\n(on from {1 + len(on)} of {1 + len(own)} seeds)"
            else:
                say(axis, "off, and no active term is near it")
                axis.set_yticks([])
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
) -> tuple[pd.DataFrame, bool]:
    """Say which violin each cell is in: x (cell type, else condition) and hue (condition, else x).

    Returns
    -------
    A table of the cells, and whether hue divides the groups of x.
    """
    names = order_conditions(obs["condition"], conditions) if "condition" in obs else {}
    condition = None
    if names:
        condition = obs["condition"].astype(str).map(names)
        condition = pd.Categorical(condition, list(dict.fromkeys(names.values())))
    x = condition
    if "cell_type" in obs:
        shown = choose_cell_types(obs["cell_type"], cell_types, N_CELL_TYPES[bool(names)])
        x = pd.Categorical(obs["cell_type"].astype(str), shown)
    hue = condition if names else x
    return pd.DataFrame({"x": x, "hue": hue}, obs.index), hue is not x


def _with_counts(groups: pd.DataFrame, x: str, hues: Sequence[str], *, one_line: bool) -> str:
    """Name a group with its numbers of cells, one per condition."""
    part = groups[groups["x"] == x]
    counts = [int((part["hue"] == hue).sum()) for hue in hues] or [len(part)]
    n = "n = " + " / ".join(f"{count:,}" for count in counts)
    if one_line:
        return f"{x} ({n})"
    return "\n".join([*textwrap.wrap(x, 18), *textwrap.wrap(n, 20)])


def _violins(axis: Axes, groups: pd.DataFrame, colors: Mapping[str, Color], *, split: bool) -> None:
    """Draw the groups of one term: violins, and dots where there are few cells.

    An outline of few cells would be made up.
    """
    groups = groups[groups["x"].notna()]
    order, hue_order = (list(groups[column].cat.categories) for column in ("x", "hue"))
    n = groups.groupby(["x", "hue"], observed=True)["loading"].transform("size")
    shared = {"x": "x", "y": "loading", "hue": "hue", "order": order, "hue_order": hue_order}
    shared |= {"palette": colors, "dodge": split, "legend": False, "ax": axis}
    many, few = groups[n >= FEW], groups[n < FEW]
    if len(many):
        sns.violinplot(
            many, **shared, density_norm="width", cut=0, linewidth=0.6, saturation=1, inner="box",
            inner_kws={"box_width": 3.5, "whis_width": 0, "color": "black"},
        )  # fmt: skip
    if len(few):
        sns.stripplot(few, **shared, size=3, jitter=0.15, alpha=0.8)


def _on_the_scale_of(z: pd.Series, other: pd.Series) -> pd.Series:
    """Give another seed's loadings the mean and the spread of these, and their sign.

    A seed chooses scale and sign freely; what differs after that is the answer.
    """
    sign = np.sign(np.corrcoef(z, other)[0, 1])
    return z.mean() + sign * (other - other.mean()) * (z.std() / other.std())


def _medians(axis: Axes, groups: pd.DataFrame, *, split: bool) -> None:
    """Mark the median of each group, beside the bar of its violin."""
    order, hues = (list(groups[column].cat.categories) for column in ("x", "hue"))
    n_hues = len(hues) if split else 1
    width = 0.8 / n_hues  # of a violin, as seaborn draws it
    median = groups.groupby(["x", "hue"], observed=True)["loading"].median()
    for (group, value), loading in median.items():
        place = hues.index(value) if split else 0
        center = order.index(group) + (place - (n_hues - 1) / 2) * width
        axis.plot(center + 0.2 * width, loading, ls="", zorder=5, **DIAMOND)

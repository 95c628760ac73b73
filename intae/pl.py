"""Pictures with scanpy's habits, `intae.pl`, of what `intae.tl.terms` wrote.

They return what matplotlib needs to go on with where `show=False`, else nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scanpy as sc
import seaborn as sns
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .errors import IntaeError, suggest
from .figures.style import readable
from .tl import loadings_of, rna_of

if TYPE_CHECKING:
    from mudata import MuData

__all__ = ["embedding", "terms", "violin"]

COLORS = "coolwarm"  # grey, not white, at zero: cells stay to be seen
BAR, PALE = "#4C72B0", "#C9D3E6"


def terms(
    adata: AnnData | MuData,
    groupby: str | None = None,
    terms: Iterable[str] | None = None,
    n_terms: int = 10,
    *,
    key: str = "intae",
    show: bool | None = None,
    **style: Any,
) -> Axes | Mapping[str, Axes] | None:
    """Draw the most relevant terms: a bar each, or their mean loadings in groups of cells.

    Parameters
    ----------
    adata
        After :func:`intae.tl.terms`.
    groupby
        Column of obs; then a map of mean loadings, terms x groups, is drawn by
        `scanpy.pl.matrixplot`. One mean of twenty lies beyond its scale of colours.
    terms
        Names of the terms; None takes the `n_terms` most relevant active gene sets.
    n_terms
        How many of those.
    key
        The `key_added` of :func:`intae.tl.terms`.
    show
        As in scanpy: whether to show the figure and return nothing.
    style
        Arguments of `scanpy.pl.matrixplot`, or without `groupby` of `Axes.barh`.

    Returns
    -------
    With `show=False` the Axes, or what `scanpy.pl.matrixplot` returns: a dict of Axes.

    Raises
    ------
    IntaeError
        If there are no results, or a term or column is not there.
    """
    cells, loadings = _chosen(adata, terms, n_terms, key)
    if groupby is not None:
        light = AnnData(
            loadings.to_numpy(),
            obs=_columns(cells, groupby=groupby),
            var=pd.DataFrame(index=pd.Index(_labels(cells, key, loadings.columns, width=90))),
        )
        means = light.to_df().groupby(light.obs[groupby], observed=True).mean()
        limit = np.quantile(np.abs(means), 0.95)  # one group may be far from all others
        style = {
            "cmap": COLORS, "swap_axes": True, "vmin": -limit, "vmax": limit,
            "colorbar_title": "mean loading",
        } | style  # fmt: skip
        drawn = sc.pl.matrixplot(light, list(light.var_names), groupby, show=False, **style)
        return _end(drawn, show)
    table = cells.uns[key]["terms"].loc[loadings.columns]
    _, axis = plt.subplots(figsize=(6.5, 0.8 + 0.36 * len(table)), layout="constrained")
    colors = [BAR if active else PALE for active in table["active"]]
    places = np.arange(len(table))
    look: dict[str, Any] = {"color": colors, "height": 0.7} | style
    axis.barh(places, table["relevance"], **look)
    axis.set_yticks(places, _labels(cells, key, table.index, width=44))
    for place, n, value in zip(places, table["n_genes"], table["relevance"], strict=True):
        if n:
            axis.annotate(f"{n} genes", (value, place), xytext=(4, 0), textcoords="offset points",
                          va="center", fontsize=8, color="0.35")  # fmt: skip
    axis.invert_yaxis()
    axis.margins(x=0.14)
    axis.set_xlim(left=0)
    axis.set_xlabel("relevance" if table["active"].all() else "relevance (pale: term is off)")
    axis.grid(False)
    sns.despine(ax=axis)
    axis.tick_params(axis="y", length=0)
    return _end(axis, show)


def embedding(
    adata: AnnData | MuData,
    basis: str = "umap",
    terms: Iterable[str] | None = None,
    n_terms: int = 3,
    *,
    key: str = "intae",
    show: bool | None = None,
    **style: Any,
) -> Sequence[Axes] | None:
    """Colour an embedding of the cells by the loadings of terms, with `scanpy.pl.embedding`.

    Each term has its own scale of colours, grey at zero and alike on both sides; one loading of a
    hundred lies beyond it.

    Parameters
    ----------
    adata
        After :func:`intae.tl.terms`, with an embedding in obsm.
    basis
        Its name: `umap` for `obsm["X_umap"]`.
    terms
        Names of the terms; None takes the `n_terms` most relevant active gene sets.
    n_terms
        How many of those.
    key
        The `key_added` of :func:`intae.tl.terms`.
    show
        As in scanpy: whether to show the figure and return nothing.
    style
        Arguments of `scanpy.pl.embedding`, such as `ncols`, `size` or `cmap`.

    Returns
    -------
    With `show=False` the list of Axes.

    Raises
    ------
    IntaeError
        If there are no results, or a term or the embedding is not there.
    """
    cells, loadings = _chosen(adata, terms, n_terms, key)
    place = basis if basis in cells.obsm else f"X_{basis}"
    if place not in cells.obsm:
        known = [name.removeprefix("X_") for name in cells.obsm if name != f"X_{key}"]
        msg = f"basis: there is no obsm[{place!r}]; compute it first, such as with scanpy.tl.umap"
        raise IntaeError(msg + (suggest(basis, known) if known else ""))
    light = AnnData(obs=loadings, obsm={place: np.asarray(cells.obsm[place])})
    limits = np.quantile(np.abs(loadings.to_numpy()), 0.99, axis=0)
    style = {
        "cmap": COLORS, "vmin": list(-limits), "vmax": list(limits), "frameon": False, "ncols": 3,
        "title": _labels(cells, key, loadings.columns, width=28), "wspace": 0.15,
    } | style  # fmt: skip
    drawn = sc.pl.embedding(light, place, color=list(loadings.columns), show=False, **style)
    return _end(drawn if isinstance(drawn, list) else [drawn], show)


def violin(
    adata: AnnData | MuData,
    groupby: str,
    hue: str | None = None,
    terms: Iterable[str] | None = None,
    n_terms: int = 3,
    *,
    key: str = "intae",
    show: bool | None = None,
    **style: Any,
) -> Sequence[Axes] | None:
    """Draw the loadings of terms in groups of cells as violins, a panel per term.

    Parameters
    ----------
    adata
        After :func:`intae.tl.terms`.
    groupby
        Column of obs with the groups, such as cell types.
    hue
        Column of obs that splits each group, such as conditions; the halves of a violin where it
        has two values.
    terms
        Names of the terms; None takes the `n_terms` most relevant active gene sets.
    n_terms
        How many of those.
    key
        The `key_added` of :func:`intae.tl.terms`.
    show
        As in scanpy: whether to show the figure and return nothing.
    style
        Arguments of `seaborn.violinplot`.

    Returns
    -------
    With `show=False` the list of Axes.

    Raises
    ------
    IntaeError
        If there are no results, or a term or column is not there.
    """
    cells, loadings = _chosen(adata, terms, n_terms, key)
    obs = _columns(cells, groupby=groupby, hue=hue)
    by = hue or groupby
    style = {
        "inner": "quart", "cut": 0, "density_norm": "width", "linewidth": 0.7, "saturation": 1,
        "split": hue is not None and obs[by].nunique() == 2, "gap": 0.05 if hue else 0,
        "palette": _palette(cells, by, list(obs[by].cat.categories)),
        "legend": "full" if hue else False,
    } | style  # fmt: skip
    n_groups, n_terms = obs[groupby].nunique(), loadings.shape[1]
    size = (max(4.0, 1.6 + 0.62 * n_groups), 0.9 + 2.0 * n_terms)
    figure, axes = plt.subplots(n_terms, figsize=size, sharex=True, squeeze=False,
                                layout="constrained")  # fmt: skip
    for axis, term, label in zip(
        axes[:, 0], loadings, _labels(cells, key, loadings.columns, 200), strict=True
    ):
        data = obs.assign(loading=loadings[term])
        sns.violinplot(data, x=groupby, y="loading", hue=by, ax=axis, **style)
        axis.axhline(0, color="0.75", lw=0.7, zorder=0)
        axis.set_title(label, fontsize=10, loc="left")
        axis.set_xlabel("")
        axis.grid(False)
        if axis.get_legend() is not None:
            axis.get_legend().remove()
        sns.despine(ax=axis)
    axis.set_xticks(axis.get_xticks(), axis.get_xticklabels(), rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    if hue is not None:
        handles = [plt.Rectangle((0, 0), 1, 1, color=style["palette"][value])
                   for value in obs[by].cat.categories]  # fmt: skip
        figure.legend(handles, obs[by].cat.categories, loc="outside right upper", frameon=False,
                      title=hue)  # fmt: skip
    return _end(list(axes[:, 0]), show)


def _chosen(
    adata: AnnData | MuData, terms: Iterable[str] | None, n_terms: int, key: str
) -> tuple[AnnData, pd.DataFrame]:
    """Return the cells, and the loadings of the terms asked for or of the most relevant ones."""
    cells = rna_of(adata)
    loadings = loadings_of(cells, key, terms)
    if terms is None:
        top = list(cells.uns[key]["top"])[:n_terms]
        if not top:
            msg = "no gene set is active, so there is no most relevant one; name some by terms="
            raise IntaeError(msg)
        loadings = loadings[top]
    if not loadings.shape[1]:
        msg = "terms: names no term"
        raise IntaeError(msg)
    return cells, loadings


def _columns(adata: AnnData, **columns: str | None) -> pd.DataFrame:
    """Return these columns of obs as categories, refusing those that are not there."""
    for option, column in columns.items():
        if column is not None and column not in adata.obs:
            msg = f"{option}: there is no column {column!r} in obs{suggest(column, adata.obs)}"
            raise IntaeError(msg)
    names = [column for column in columns.values() if column is not None]
    table = adata.obs[list(dict.fromkeys(names))].astype("category")
    return table.apply(lambda column: column.cat.remove_unused_categories())


def _palette(adata: AnnData, column: str, values: list) -> dict[Any, Any]:
    """Return the colours that scanpy keeps for a column, or those that it would give it."""
    known = adata.uns.get(f"{column}_colors")
    categories = list(adata.obs[column].astype("category").cat.categories)
    if known is not None and len(known) >= len(categories):
        return {value: known[categories.index(value)] for value in values}
    several = sc.pl.palettes.default_20 if len(values) <= 20 else sc.pl.palettes.default_102
    return {value: several[i % len(several)] for i, value in enumerate(values)}


def _labels(adata: AnnData, key: str, terms: Sequence[str], width: int = 40) -> list[str]:
    """Name terms for people: without what all gene sets begin with, such as REACTOME_."""
    table = adata.uns[key]["terms"]
    names = table.index[table["kind"] == "annotated"].astype(str)
    first = {name.partition("_")[0] for name in names}
    prefix = f"{first.pop()}_" if len(first) == 1 and len(names) > 1 else ""
    return [readable(str(term).removeprefix(prefix), width) for term in terms]


def _end(drawn: Any, show: bool | None) -> Any:
    """Show what was drawn, or return it, as scanpy does."""
    if sc.settings.autoshow if show is None else show:
        plt.show()
        return None
    return drawn

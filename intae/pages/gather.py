"""Everything that the page of terms shows of one data set, gathered from fits and tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from anndata import AnnData

from ..figures.style import label_colors, method_colors, method_label
from ..figures.terms import RELEVANCE
from ..files import loadings, weights
from ..prepared import get_annotations, get_terms
from .cells import QUANTILES, View, quantiles, sample_cells, views_of
from .genes import pack_lists, pack_sets, pack_weights
from .packing import Block, quantise
from .scores import accuracy_of, agreement_of, aligned, necessity_of, ranks_of, stability_of

N_CELLS = 1000


def gather(
    fits: Sequence[AnnData],
    prepared: AnnData,
    tables: Mapping[str, pd.DataFrame],
    *,
    dataset: str,
    labels: Mapping[str, str],
    controls: Collection[str] = (),
    origins: Mapping[str, Mapping[str, object]] | None = None,
    n_cells: int = N_CELLS,
    seed: int = 0,
) -> tuple[dict[str, Any], bytes]:
    """Gather what the page shows.

    Parameters
    ----------
    fits
        One finished fit a method, of the same cells; there may be none.
    prepared
        The prepared data, for the gene sets and the cells; may be backed.
    tables
        Of this data set, by name: terms, and where there are any accuracy, correlation (with
        correlation_seeds), stability and necessity.
    dataset
        Its name.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    controls
        The methods that only give the numbers a scale.
    origins
        What :func:`intae.pages.origins.read_origins` says of each set.
    n_cells, seed
        How many cells are shown one by one, and the seed of their draw. Quantiles are of all.

    Returns
    -------
    The page's facts, ready for JSON, and the block of numbers that they point into.

    Raises
    ------
    ValueError
        If the table terms was made from other fits.
    """
    block, obs = Block(), prepared.obs
    genes, sets = prepared.var_names, get_terms(prepared)
    views = views_of(obs)
    shown = sample_cells(prepared.n_obs, n_cells, seed)
    by_method = {fit.uns["fit"]["method"]: fit for fit in fits}
    methods = [m for m in labels if m in by_method]
    origins = origins or {}
    facts = {
        "dataset": dataset,
        "n_cells": prepared.n_obs,
        "genes": genes.astype(str).tolist(),
        "sets": {
            "names": sets.tolist(),
            "genes": pack_sets(block, get_annotations(prepared)),
            "origins": [origins.get(name) for name in sets],
        },
        "quantiles": list(QUANTILES),
        "views": [_pack_view(block, view, obs, shown) for view in views],
        "n_shown": len(shown),
        "guess": {
            role: float(obs[role].value_counts(normalize=True).max())
            for role in dict.fromkeys(view.label for view in views)
            if role in obs
        },
    }
    colors = method_colors(labels)
    facts["methods"] = [
        {
            "name": method,
            "label": method_label(method, labels),
            "color": mpl.colors.to_hex(colors[method]),
            "control": method in controls,
        }
        | _pack_method(block, by_method[method], genes, tables, methods, views, shown)
        for method in methods
    ]
    return facts, block.to_bytes()


def _pack_view(block: Block, view: View, obs: pd.DataFrame, shown: np.ndarray) -> dict[str, Any]:
    """Describe a view; `member` says of each cell shown in which group it is, 1 the first."""
    member = np.zeros(len(obs), dtype=int)
    for number, cells in enumerate(view.groups.values(), start=1):
        member[cells] = number
    # the colours of a label are those that its values have in the other figures
    role = view.split or view.label
    values = sorted(obs[role].astype(str).unique()) if role in obs else [role]
    palette = {v: mpl.colors.to_hex(c) for v, c in label_colors(values, role).items()}
    return {
        "label": view.label,
        "split": view.split,
        "groups": [list(group) for group in view.groups],
        "colors": [palette[group[-1]] for group in view.groups],
        "sizes": [len(cells) for cells in view.groups.values()],
        "n_left_out": view.n_left_out,
        "member": block.add(member[shown], "u2"),
    }


def _pack_method(
    block: Block,
    fit: AnnData,
    genes: pd.Index,
    tables: Mapping[str, pd.DataFrame],
    methods: Sequence[str],
    views: Sequence[View],
    shown: np.ndarray,
) -> dict[str, Any]:
    about = fit.uns["fit"]
    method, seed = str(about["method"]), int(about["seed"])
    table = tables["terms"]
    table = table[(table["method"] == method) & (table["seed"] == seed)].set_index("term")
    if table.empty:
        msg = (
            f"the table terms has no row of {method}, seed {seed}; make it anew from the same fits"
        )
        raise ValueError(msg)
    terms = table.index
    w = weights(fit).reindex(index=genes, columns=terms).fillna(0.0).to_numpy(np.float32)
    z = loadings(fit)[terms].to_numpy(float)
    others = [m for m in methods if m != method]
    return {
        "seed": seed,
        "relevance_is": RELEVANCE.get(str(about["model"]), "relevance"),
        "terms": terms.astype(str).tolist(),
        "kind": table["kind"].tolist(),
        "n_genes": table["n_genes"].astype(int).tolist(),
        "relevance": aligned(table["relevance"], terms),
        "rank": table["rank"].astype(int).tolist(),
        "ranks": ranks_of(tables, method, terms),
        "active": table["active"].astype(bool).tolist(),
        "added": pack_lists(block, table["genes_added"], genes),
        "removed": pack_lists(block, table["genes_removed"], genes),
        "weights": pack_weights(block, w),
        "loadings": _pack_loadings(block, z, views, shown),
        "accuracy": accuracy_of(tables, method, seed, terms),
        "stability": stability_of(tables, method, terms),
        "agreement": agreement_of(tables, method, others, terms),
        "necessity": necessity_of(tables, method, seed, terms),
    }


def _pack_loadings(
    block: Block, z: np.ndarray, views: Sequence[View], shown: np.ndarray
) -> dict[str, Any]:
    """Pack quantiles and sample of the terms that are not constant; `row` is -1 for the others."""
    varies = np.flatnonzero(np.ptp(z, axis=0) > 0)
    row = np.full(z.shape[1], -1)
    row[varies] = np.arange(len(varies))
    z = z[:, varies]
    q, sample = quantiles(z, views), z[shown].T
    ranges = [(a.min(axis), a.max(axis)) for a, axis in ((q, (1, 2)), (sample, 1))]
    return {
        "row": row.tolist(),
        "quantiles": block.add(quantise(q, *ranges[0], "u2"), "u2"),
        "quantile_range": block.add(np.stack(ranges[0]), "f4"),
        "sample": block.add(quantise(sample, *ranges[1], "u1"), "u1"),
        "sample_range": block.add(np.stack(ranges[1]), "f4"),
    }

"""Loadings of many cells, as a page can hold them: quantiles by group, and a sample of cells.

What the tables say of the terms of one method, in the order of its terms.

Genes of terms: which are in the set, which a fit added or removed, and their weights.

Where the gene sets of a data set come from.

Everything that the page of terms shows of one data set, gathered from fits and tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from anndata import AnnData

from ..figures.style import label_colors, method_colors, method_label
from ..figures.terms import RELEVANCE
from ..fits import Fit
from ..gene_sets import read_descriptions, read_gene_sets
from ..metrics.agreement import over_pairs
from ..prepared import get_annotations, get_terms, split_terms
from .pack import Block, quantise, shorten

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_GROUPS = 40  # of one label; more cannot be read side by side
ROLES = ("condition", "cell_type", "batch", "donor")
EVERYTHING = "all cells"


@dataclass
class View:
    """One way to group the cells: by a label, maybe each of its groups by condition as well.

    Attributes
    ----------
    label
        The column of obs; :data:`EVERYTHING` where all cells are one group.
    split
        The second column of obs, or None.
    groups
        Value of the label (and of the second) -> which cells, as positions.
    n_left_out
        Number of the label's values that are too many to show; the smallest are left out.
    """

    label: str
    split: str | None
    groups: dict[tuple[str, ...], np.ndarray]
    n_left_out: int = 0


def views_of(obs: pd.DataFrame) -> list[View]:
    """List the ways to group cells: by each label, and by each label and condition; never none."""
    roles = [role for role in ROLES if role in obs and obs[role].notna().any()]
    views = []
    for role in roles:
        values = obs[role].astype(str)
        counts = values.value_counts()
        kept = sorted(counts.index[:MAX_GROUPS], key=_natural)
        for split in (None, "condition"):
            if split is None:
                groups = {(v,): np.flatnonzero(values == v) for v in kept}
            elif role != split and split in roles:
                groups = _crossed(values, obs[split].astype(str), kept)
            else:
                continue
            views.append(View(role, split, groups, len(counts) - len(kept)))
    if not views:
        views.append(View(EVERYTHING, None, {(EVERYTHING,): np.arange(len(obs))}))
    return views


def _crossed(
    first: pd.Series, second: pd.Series, kept: Sequence[str]
) -> dict[tuple[str, ...], np.ndarray]:
    pairs = [(a, b) for a in kept for b in sorted(second.unique(), key=_natural)]
    cells = {(a, b): np.flatnonzero((first == a) & (second == b)) for a, b in pairs}
    return {pair: found for pair, found in cells.items() if len(found)}


def _natural(value: str) -> tuple[int, float, str]:
    """Sort donor 2 before donor 10."""
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value


def sample_cells(n_cells: int, n_wanted: int, seed: int) -> np.ndarray:
    """Draw the positions of the cells that are shown one by one, in order."""
    if n_cells <= n_wanted:
        return np.arange(n_cells)
    return np.sort(np.random.default_rng(seed).choice(n_cells, n_wanted, replace=False))


def quantiles(loadings: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """Return the quantiles of each term's loadings in each group.

    Parameters
    ----------
    loadings
        cells x terms.
    views
        Groups of cells; those of all views in order.

    Returns
    -------
    terms x groups x quantiles (:data:`QUANTILES`).
    """
    groups = [cells for view in views for cells in view.groups.values()]
    found = [np.quantile(loadings[cells], QUANTILES, axis=0) for cells in groups]
    return np.stack(found).transpose(2, 0, 1)


MEASURES = ("accuracy", "balanced_accuracy", "auroc")
PAIRS = "(number of pairs)"  # a row of stability.csv

Column = list[Any]
Tables = Mapping[str, pd.DataFrame]


def aligned(values: pd.Series, terms: pd.Index) -> Column:
    """Return a value a term, None where there is none."""
    return [None if pd.isna(value) else value for value in values.reindex(terms).tolist()]


def accuracy_of(
    tables: Tables, method: str, seed: int, terms: pd.Index
) -> dict[str, dict[str, dict[str, Column]]]:
    """Return label -> split -> measure -> a number a term; empty without the table.

    The numbers are of one seed. Where the method has several, `MEASURE_least` and `MEASURE_most`
    stand beside each measure.
    """
    table = tables.get("accuracy")
    if table is None:
        return {}
    table = table[table["method"] == method]
    found: dict[str, dict[str, dict[str, Column]]] = {}
    for (label, split), part in table.groupby(["label", "split"], sort=False):
        own = part[part["seed"] == seed].set_index("term")
        columns = {measure: aligned(own[measure], terms) for measure in MEASURES}
        if part["seed"].nunique() > 1:
            seeds = part.groupby("term")[list(MEASURES)]
            for name, ends in (("least", seeds.min()), ("most", seeds.max())):
                columns |= {f"{m}_{name}": aligned(ends[m], terms) for m in MEASURES}
        found.setdefault(str(label), {})[str(split)] = columns
    return found


def stability_of(tables: Tables, method: str, terms: pd.Index) -> dict[str, dict[str, Any]]:
    """Return what was changed (seeds, halves, donors) -> number of pairs, and |r| a term.

    r is the mean over the pairs; r_min and r_max are the least and the largest.
    """
    table = tables.get("stability")
    if table is None:
        return {}
    found = {}
    for kind, part in table[table["method"] == method].groupby("kind", sort=False):
        part = part.set_index("term")
        spread = {name: aligned(part[name], terms) for name in ("r", "r_min", "r_max")}
        found[str(kind)] = {"n_pairs": int(part["r"].get(PAIRS, 0))} | spread
    return found


def agreement_of(
    tables: Tables, method: str, others: Sequence[str], terms: pd.Index
) -> dict[str, dict[str, Any]]:
    """Return other method -> r a term, for those that the table compares with this one.

    r, with its sign, is of the first seeds. median, min and max are of |r| over all pairs of a seed
    of each method, as far as the term is on in both.
    """
    table = tables.get("correlation")
    if table is None:
        return {}
    found = {}
    for other in others:
        pair = {method, other}
        rows = table[table["method_a"].isin(pair) & table["method_b"].isin(pair)]
        rows = rows[rows["method_a"] != rows["method_b"]]
        if rows.empty:
            continue
        spread = over_pairs(tables["correlation_seeds"], method, other)
        ends = {name: aligned(spread[name], terms) for name in ("median", "min", "max")}
        found[other] = {"r": aligned(rows.set_index("term")["r"], terms)} | ends
    return found


def ranks_of(tables: Tables, method: str, terms: pd.Index) -> dict[str, Any]:
    """Return how a term's rank by relevance differs between seeds; empty for one seed.

    Returns
    -------
    n_seeds; n_on, in how many of them each term is on; least and most, its ranks in those.
    """
    table = tables["terms"]
    table = table[table["method"] == method]
    if table["seed"].nunique() < 2:
        return {}
    on = table[table["active"].astype(bool)].groupby("term")["rank"]
    columns = {"n_on": on.size(), "least": on.min(), "most": on.max()}
    packed = {name: aligned(column, terms) for name, column in columns.items()}
    return {"n_seeds": table["seed"].nunique()} | packed


def necessity_of(tables: Tables, method: str, seed: int, terms: pd.Index) -> dict[str, Column]:
    """Return what each term is needed for; empty if not measured.

    Returns
    -------
    necessity, irreplaceable (None where the table has no such column) and stand_ins, a list of
    terms, each in the order of the terms.
    """
    table = tables.get("necessity")
    if table is None:
        return {}
    rows = table[(table["method"] == method) & (table["seed"] == seed)].set_index("term")
    if not len(rows):
        return {}
    stand_ins = [split_terms(names) for names in rows["stand_ins"].reindex(terms)]
    irreplaceable = rows.get("irreplaceable", pd.Series(dtype=float))
    return {
        "necessity": aligned(rows["necessity"], terms),
        "irreplaceable": aligned(irreplaceable, terms),
        "stand_ins": stand_ins,
    }


def pack_sets(block: Block, annotations: np.ndarray) -> dict[str, Any]:
    """Pack which genes are in each set: genes x terms, 0/1."""
    return _rows(block, [np.flatnonzero(column) for column in np.asarray(annotations).T])


def pack_weights(block: Block, weights: np.ndarray) -> dict[str, Any]:
    """Pack the weights (genes x terms) that are not zero: for each term its genes and weights."""
    genes = [np.flatnonzero(column) for column in weights.T]
    values = [column[rows] for column, rows in zip(weights.T, genes, strict=True)]
    joined = np.concatenate(values) if values else np.empty(0)
    return _rows(block, genes) | {"values": block.add(shorten(joined), "f4")}


def pack_lists(block: Block, lists: pd.Series, genes: pd.Index) -> dict[str, Any]:
    """Pack the genes that are named in each term's row, separated by spaces."""
    found = [genes.get_indexer(str(names).split()) for names in lists.fillna("")]
    return _rows(block, [rows[rows >= 0] for rows in found])


def _rows(block: Block, rows: list[np.ndarray]) -> dict[str, Any]:
    ends = np.cumsum([0, *(len(row) for row in rows)])
    genes = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    return {"ends": block.add(ends, "u4"), "genes": block.add(genes, "u4")}


class Source(NamedTuple):
    """A file of gene sets: its path, what was taken off its names, what people call it."""

    path: str | Path
    remove_prefix: str | None
    title: str


def read_origins(sources: Iterable[Source]) -> dict[str, dict[str, object]]:
    """Say of each gene set in which collection it stands, how large it is there, and its address.

    Parameters
    ----------
    sources
        The files that the data were prepared with.

    Returns
    -------
    Name of the term -> collection, n_genes (in the file), full_name (as in the file), and the
    file's own description of the set: `link` if that is an address, else `note`.
    """
    origins: dict[str, dict[str, object]] = {}
    for source in sources:
        gene_sets = read_gene_sets(source.path, remove_prefix=source.remove_prefix)
        described = read_descriptions(source.path)
        by_term = {name.removeprefix(source.remove_prefix or ""): name for name in described}
        for term, genes in gene_sets.items():
            full_name = by_term.get(term, term)
            origins[term] = {
                "collection": source.title,
                "n_genes": len(genes),
                "full_name": full_name,
            } | _described(described.get(full_name, ""))
    return origins


def _described(text: str) -> dict[str, object]:
    if text.startswith(("http://", "https://")):
        return {"link": text}
    return {"note": text} if text and text.lower() not in ("na", "n/a", "description") else {}


N_CELLS = 1000


def gather(
    fits: Sequence[Fit],
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
        What :func:`intae.page.gather.read_origins` says of each set.
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
    by_method = {fit.about["method"]: fit for fit in fits}
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
    fit: Fit,
    genes: pd.Index,
    tables: Mapping[str, pd.DataFrame],
    methods: Sequence[str],
    views: Sequence[View],
    shown: np.ndarray,
) -> dict[str, Any]:
    about = fit.about
    method, seed = str(about["method"]), int(about["seed"])
    table = tables["terms"]
    table = table[(table["method"] == method) & (table["seed"] == seed)].set_index("term")
    if table.empty:
        msg = (
            f"the table terms has no row of {method}, seed {seed}; make it anew from the same fits"
        )
        raise ValueError(msg)
    terms = table.index
    w = fit.weights.reindex(index=genes, columns=terms).fillna(0.0).to_numpy(np.float32)
    z = fit.loadings[terms].to_numpy(float)
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

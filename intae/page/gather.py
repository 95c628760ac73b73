"""Everything that the page of terms shows of one data set, gathered from fits and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from anndata import AnnData

from ..errors import IntaeError
from ..figures.style import method_colors, method_label, recommended_first
from ..figures.terms import RELEVANCE
from ..fits import Fit
from ..gene_sets import read_descriptions, read_gene_sets
from ..metrics.agreement import over_pairs
from ..prepared import get_annotations, get_terms, split_terms
from .pack import Block, pack_lists, pack_sets, pack_weights, quantise
from .views import QUANTILES, View, pack_view, quantiles, sample_cells, views_of

N_CELLS = 1000
MEASURES = ("accuracy", "balanced_accuracy", "auroc")
PAIRS = "(number of pairs)"  # a row of stability.csv

Column = list[Any]  # one value per term, None where there is none
Tables = Mapping[str, pd.DataFrame]


def gather(
    fits: Sequence[Fit],
    prepared: AnnData,
    tables: Tables,
    *,
    dataset: str,
    labels: Mapping[str, str],
    controls: Collection[str] = (),
    origins: Mapping[str, Mapping[str, object]] | None = None,
    recommended: str | None = None,
    embedding: pd.DataFrame | None = None,
    conditions: Mapping[str, str] | None = None,
    n_cells: int = N_CELLS,
    seed: int = 0,
) -> tuple[dict[str, Any], bytes]:
    """Gather what the page shows.

    Parameters
    ----------
    fits
        One finished fit per method, of the same cells; there may be none.
    prepared
        The prepared data, for the gene sets and the cells; may be backed.
    tables
        Of this data set, by name: terms, and where there are any accuracy, correlation (with
        correlation_seeds), stability, necessity, families and gene_sets.
    dataset
        Its name.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    controls
        The methods that only give the numbers a scale.
    origins
        What :func:`read_origins` says of each set.
    recommended
        The method that the page opens on; by default the first.
    embedding
        A map of the cells, of all or of some: see :mod:`intae.page.embedding`.
    conditions
        Value of the condition -> its name, in the order wanted, which gives it its colour.
    n_cells, seed
        How many cells are shown one by one, and the seed of their draw. Quantiles are of all.

    Returns
    -------
    The page's facts, ready for JSON, and the block of numbers that they point into.

    Raises
    ------
    IntaeError
        If the table terms was made from other fits.
    """
    block, obs = Block(), prepared.obs
    genes, sets = prepared.var_names, get_terms(prepared)
    views = views_of(obs)
    mapped = np.arange(prepared.n_obs)
    if embedding is not None:
        mapped = obs.index.astype(str).get_indexer(embedding.index)
    shown = mapped[sample_cells(len(mapped), n_cells, seed)]
    by_method = {fit.method: fit for fit in fits}
    methods = [m for m in recommended_first(labels, recommended) if m in by_method]
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
        "views": [pack_view(block, view, obs, shown, conditions) for view in views],
        "n_shown": len(shown),
        "map": _pack_map(block, embedding, obs.index[shown].astype(str)),
        "dropped": _dropped(tables),
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


def _pack_method(
    block: Block,
    fit: Fit,
    genes: pd.Index,
    tables: Tables,
    methods: Sequence[str],
    views: Sequence[View],
    shown: np.ndarray,
) -> dict[str, Any]:
    about = fit.about
    method, seed = fit.method, int(about["seed"])
    table = _rows(tables, "terms", method)
    table = table[table["seed"] == seed].set_index("term")
    if table.empty:
        msg = f"the table terms has no row of {method}, seed {seed}; make it anew from these fits"
        raise IntaeError(msg)
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
        "relevance": _aligned(table["relevance"], terms),
        "rank": table["rank"].astype(int).tolist(),
        "ranks": _ranks(tables, method, terms),
        "active": table["active"].astype(bool).tolist(),
        "detected": _detected(table),
        "added": pack_lists(block, table["genes_added"], genes),
        "removed": pack_lists(block, table["genes_removed"], genes),
        "weights": pack_weights(block, w),
        "loadings": _pack_loadings(block, z, views, shown),
        "accuracy": _accuracy(tables, method, seed, terms),
        "stability": _stability(tables, method, terms),
        "agreement": _agreement(tables, method, others, terms),
        "necessity": _necessity(tables, method, seed, terms),
        "families": _families(tables, method, seed),
    }


def _detected(table: pd.DataFrame) -> dict[str, Column]:
    """Return is and q of terms that were tested; empty where the method tests none."""
    q = table.get("q_value", pd.Series(dtype=float)).dropna()
    if q.empty:
        return {}
    said = table.loc[q.index, "detected"].astype(bool)
    return {"is": _aligned(said, table.index), "q": _aligned(q, table.index)}


def _aligned(values: pd.Series, terms: pd.Index) -> Column:
    return [None if pd.isna(value) else value for value in values.reindex(terms).tolist()]


def _rows(tables: Tables, name: str, method: str) -> pd.DataFrame:
    """Return the rows of a table about a method; none where the run did not make the table."""
    table = tables.get(name)
    return pd.DataFrame() if table is None else table[table["method"] == method]


def _accuracy(
    tables: Tables, method: str, seed: int, terms: pd.Index
) -> dict[str, dict[str, dict[str, Column]]]:
    """Return label -> split -> measure -> numbers; empty without the table.

    The numbers are of one seed. Where the method has several, `MEASURE_least` and `MEASURE_most`
    stand beside each measure.
    """
    rows = _rows(tables, "accuracy", method)
    if rows.empty:
        return {}
    found: dict[str, dict[str, dict[str, Column]]] = {}
    for (label, split), part in rows.groupby(["label", "split"], sort=False):
        own = part[part["seed"] == seed].set_index("term")
        columns = {measure: _aligned(own[measure], terms) for measure in MEASURES}
        if part["seed"].nunique() > 1:
            seeds = part.groupby("term")[list(MEASURES)]
            for name, ends in (("least", seeds.min()), ("most", seeds.max())):
                columns |= {f"{m}_{name}": _aligned(ends[m], terms) for m in MEASURES}
        found.setdefault(str(label), {})[str(split)] = columns
    return found


def _stability(tables: Tables, method: str, terms: pd.Index) -> dict[str, dict[str, Any]]:
    """Return what was changed (seeds, halves, donors) -> number of pairs, and |r| per term.

    r is the mean over the pairs; r_min and r_max are the least and the largest.
    """
    rows = _rows(tables, "stability", method)
    if rows.empty:
        return {}
    found = {}
    for kind, part in rows.groupby("kind", sort=False):
        part = part.set_index("term")
        spread = {name: _aligned(part[name], terms) for name in ("r", "r_min", "r_max")}
        found[str(kind)] = {"n_pairs": int(part["r"].get(PAIRS, 0))} | spread
    return found


def _agreement(
    tables: Tables, method: str, others: Sequence[str], terms: pd.Index
) -> dict[str, dict[str, Column]]:
    """Return other method -> r per term, for those that the table compares with this one.

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
        ends = {name: _aligned(spread[name], terms) for name in ("median", "min", "max")}
        found[other] = {"r": _aligned(rows.set_index("term")["r"], terms)} | ends
    return found


def _ranks(tables: Tables, method: str, terms: pd.Index) -> dict[str, Any]:
    """Return how a term's rank by relevance differs between seeds; empty for one seed.

    Returns
    -------
    n_seeds; n_on, in how many of them each term is on; least and most, its ranks in those.
    """
    rows = _rows(tables, "terms", method)
    n_seeds = rows["seed"].nunique()
    if n_seeds < 2:
        return {}
    on = rows[rows["active"].astype(bool)].groupby("term")["rank"]
    columns = {"n_on": on.size(), "least": on.min(), "most": on.max()}
    return {"n_seeds": n_seeds} | {name: _aligned(c, terms) for name, c in columns.items()}


def _necessity(tables: Tables, method: str, seed: int, terms: pd.Index) -> dict[str, Column]:
    """Return what each term is needed for; empty if not measured.

    Returns
    -------
    necessity, irreplaceable (None where the table has no such column) and stand_ins, a list of
    terms, each in the order of the terms.
    """
    rows = _rows(tables, "necessity", method)
    rows = rows if rows.empty else rows[rows["seed"] == seed].set_index("term")
    if rows.empty:
        return {}
    irreplaceable = rows.get("irreplaceable", pd.Series(dtype=float))
    return {
        "necessity": _aligned(rows["necessity"], terms),
        "irreplaceable": _aligned(irreplaceable, terms),
        "stand_ins": [split_terms(names) for names in rows["stand_ins"].reindex(terms)],
    }


def _families(tables: Tables, method: str, seed: int) -> list[list[str]]:
    """Return the families of several terms, the members of each, the most relevant first."""
    rows = _rows(tables, "families", method)
    members = [] if rows.empty else rows.loc[rows["seed"] == seed, "members"].map(split_terms)
    return [names for names in members if len(names) > 1]


def _pack_map(
    block: Block, embedding: pd.DataFrame | None, shown: pd.Index
) -> dict[str, Any] | None:
    """Pack where the cells shown lie on the map, x and y; None without a map."""
    if embedding is None:
        return None
    places = embedding.loc[shown, ["umap_1", "umap_2"]].to_numpy(float).T
    steps = quantise(places, places.min(1), places.max(1), "u2")
    return {"places": block.add(steps, "u2"), "own": bool(embedding["own"].all())}


def _dropped(tables: Tables) -> list[dict[str, Any]]:
    """List the gene sets that the preparation left out: name, why and numbers of genes."""
    table = tables.get("gene_sets")
    if table is None:
        return []
    lost = table[~table["kept"].astype(bool)]
    return lost[["name", "why", "n_genes", "in_data", "kept_genes"]].to_dict("records")


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

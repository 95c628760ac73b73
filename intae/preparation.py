"""Prepare data: normalise, filter to annotated highly variable genes and terms they fill."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from .errors import IntaeError
from .gene_sets import annotation_matrix, read_gene_sets
from .prepared import check_prepared, is_integer

log = logging.getLogger(__name__)


def prepare(
    adata: AnnData,
    gene_sets: Mapping[str, list[str]] | str | Path,
    n_hvgs: int | None = 1000,
    min_genes: int = 13,
    *,
    max_genes: int | None = None,
    normalize: bool = True,
    target_sum: float | None = None,
    log1p: bool = True,
) -> AnnData:
    """Make prepared data, the input of every model.

    Each cell is normalised to the median total (Y_ng / sum_g Y_ng x median), then log1p. Of the
    genes that are in at least one set, the `n_hvgs` most variable are kept (dispersion
    normalised by mean, Seurat's flavour in scanpy), then the sets with more than `min_genes` genes
    left, then the genes left in a set, until nothing more falls.

    Parameters
    ----------
    adata
        cells x genes, raw counts in X, dense or sparse; not modified. A sparse matrix stays
        sparse.
    gene_sets
        Name -> genes, or the path of a file (:func:`intae.read_gene_sets`). Gene names are
        matched without regard to case.
    n_hvgs
        Number of highly variable genes; None keeps all that are annotated.
    min_genes
        A set is kept with *more* genes than this, as in the paper.
    max_genes
        A set with more genes than this among the data's genes is left out before all else; None
        keeps large sets.
    normalize, log1p
        False for data that already are normalised, or on a log scale.
    target_sum
        Total of a cell after normalisation; None takes the median of the totals.

    Returns
    -------
    AnnData, cells x genes: X log-normalised float32, not centred; `varm["annotations"]` genes x
    terms, uint8; `uns["terms"]` the names of the terms; `uns["prepare"]` the settings, what was
    matched, and the `total` that cells were normalised to (new cells need the same); obs as it
    was.

    Raises
    ------
    IntaeError
        If no gene matches or no set is left; the message says what was found and what to do.
    """
    if not isinstance(gene_sets, Mapping):
        gene_sets = read_gene_sets(gene_sets)
    prepared = _copy(adata)
    report = {"n_cells": adata.n_obs, "n_genes_in": adata.n_vars, "n_sets_in": len(gene_sets)}
    if normalize or log1p:
        _check_scale(prepared, normalize=normalize)
    if normalize:
        totals = _check_totals(prepared)
        report["total"] = float(np.median(totals)) if target_sum is None else float(target_sum)
        sc.pp.normalize_total(prepared, target_sum=target_sum)
    if log1p:
        sc.pp.log1p(prepared)
        prepared.uns.pop("log1p", None)
    annotations, terms = annotation_matrix(gene_sets, prepared.var_names)
    if max_genes is not None:
        small = np.asarray(annotations.sum(0)).ravel() <= max_genes
        annotations, terms = annotations[:, small], terms[small]
    annotated = np.asarray(annotations.sum(1)).ravel() > 0
    report["n_genes_annotated"] = int(annotated.sum())
    if not annotated.any():
        raise IntaeError(_no_match(adata.var_names, gene_sets))
    log.info(
        "%d of %d genes are in at least one of %d gene sets",
        annotated.sum(), adata.n_vars, len(gene_sets),
    )  # fmt: skip
    prepared, annotations = prepared[:, annotated].copy(), annotations[annotated]
    if n_hvgs is not None:
        keep = most_variable(prepared, n_hvgs)
        prepared, annotations = prepared[:, keep].copy(), annotations[keep]
    genes, sets = filter_annotations(annotations.toarray(), min_genes)
    if not sets.any():
        msg = (
            f"no gene set has more than min_genes={min_genes} genes among the {prepared.n_vars} "
            "annotated variable genes; lower min_genes, raise n_hvgs or give other gene sets"
        )
        raise IntaeError(msg)
    prepared = prepared[:, genes].copy()
    prepared.varm["annotations"] = annotations.toarray()[np.ix_(genes, sets)].astype(np.uint8)
    prepared.uns["terms"] = terms[sets].to_numpy(str).astype(object)
    prepared.uns.pop("scale", None)
    prepared.uns["prepare"] = report | {
        "n_hvgs": -1 if n_hvgs is None else n_hvgs,
        "min_genes": min_genes,
        "max_genes": -1 if max_genes is None else max_genes,
        "normalize": normalize,
        "log1p": log1p,
        "target_sum": -1.0 if target_sum is None else float(target_sum),
    }
    log.info("kept %d genes and %d terms of %d cells", prepared.n_vars, sets.sum(), prepared.n_obs)
    check_prepared(prepared)
    return prepared


def filter_annotations(annotations: np.ndarray, min_genes: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep sets with more than `min_genes` genes and genes in a set, until nothing more falls.

    Parameters
    ----------
    annotations
        genes x terms, 0/1.

    Returns
    -------
    genes, terms
        Boolean masks of what is kept.
    """
    genes = np.ones(annotations.shape[0], dtype=bool)
    while True:
        sets = annotations[genes].sum(0) > min_genes
        kept = genes & (annotations[:, sets].sum(1) > 0)
        if (kept == genes).all():
            return genes, sets
        genes = kept


def most_variable(adata: AnnData, n_hvgs: int) -> np.ndarray:
    """Return a mask of the most variable genes of log-normalised data (all, if there are fewer)."""
    varies = _variances(adata.X) > 0
    n_found = int(varies.sum())
    if n_hvgs >= n_found:
        log.info("%d variable annotated genes, %d asked for: all are kept", n_found, n_hvgs)
        return varies
    candidates = adata[:, varies].copy()
    table = sc.pp.highly_variable_genes(candidates, n_top_genes=n_hvgs, inplace=False)
    keep = np.zeros(adata.n_vars, dtype=bool)
    keep[np.flatnonzero(varies)[table["highly_variable"].to_numpy()]] = True
    return keep


def _copy(adata: AnnData) -> AnnData:
    X = adata.X
    X = sparse.csr_matrix(X, dtype=np.float32) if sparse.issparse(X) else np.array(X, np.float32)
    if X is adata.X:
        X = X.copy()
    return AnnData(
        X, obs=adata.obs.copy(), var=pd.DataFrame(adata.var.copy()), varm=dict(adata.varm),
        obsm=dict(adata.obsm), uns=dict(adata.uns),
    )  # fmt: skip


def _check_scale(adata: AnnData, *, normalize: bool) -> None:
    """Refuse values below zero, and warn of what looks as if it were logged already."""
    values = adata.X.data if sparse.issparse(adata.X) else adata.X
    low = values.min() if values.size else 0.0
    if low < 0:
        msg = (
            f"X holds negative values ({low:g}), so it was scaled or centred; give raw counts, "
            "such as those of a layer or of .raw, or say normalize=False, log1p=False"
        )
        raise IntaeError(msg)
    if normalize and not is_integer(adata.X):
        msg = (
            "X holds values that are no integers, so it may be normalised or logged already; then "
            "say normalize=False, and log1p=False if it is logged"
        )
        warnings.warn(msg, stacklevel=3)


def _check_totals(adata: AnnData) -> np.ndarray:
    """Return the total of each cell, refusing cells without any."""
    totals = np.asarray(adata.X.sum(1)).ravel()
    empty = totals <= 0
    if empty.any():
        name = adata.obs_names[empty][0]
        msg = f"{empty.sum()} cells have no counts at all, {name!r} among them; remove them first"
        raise IntaeError(msg)
    return totals


def _variances(X) -> np.ndarray:
    mean = np.asarray(X.mean(0)).ravel()
    square = X.multiply(X) if sparse.issparse(X) else X**2
    return np.asarray(square.mean(0)).ravel() - mean**2


def _no_match(genes: pd.Index, gene_sets: Mapping[str, list[str]]) -> str:
    example = next(iter(gene_sets.values()))
    return (
        f"none of the {len(genes)} genes is in any gene set (data: {', '.join(genes[:3])}; "
        f"sets: {', '.join(example[:3])}). Are these Ensembl ids (gene_column: names the column of "
        "var with symbols), symbols of a species that the sets are not for, or are genes in the "
        "rows of a table (genes_in: rows)?"
    )

"""The contracts between the steps: what prepared data and a fit must look like.

A step that reads a file checks it here first, so that a broken file is refused by the name of the
slot at fault and not by a traceback from somewhere inside a model.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

KINDS = ("annotated", "sparse", "dense")
TERM_COLUMNS = (
    "kind", "n_genes", "relevance", "active", "genes_added", "genes_removed",
)  # fmt: skip

# Between names of terms in one field of a table: gene sets of some collections have spaces, commas
# and semicolons in their names.
BETWEEN_TERMS = " | "


class ContractError(ValueError):
    """Data that do not keep a contract; the message names the slot and the mend."""


def check_prepared(adata: AnnData, *, values: bool = True) -> None:
    """Refuse data that are not prepared, naming the slot at fault.

    Parameters
    ----------
    adata
        cells x genes; see :func:`intae.prepare` for the slots.
    values
        Also look at every value of X (one pass over the data, in chunks).

    Raises
    ------
    ContractError
        If a slot is missing or holds something else than the contract says.
    """
    if not isinstance(adata, AnnData):
        msg = f"expected an AnnData object, got {type(adata).__name__}; see intae.prepare"
        raise ContractError(msg)
    if adata.n_obs < 2 or adata.n_vars < 2:
        msg = f"X: {adata.n_obs} cells x {adata.n_vars} genes; at least 2 x 2 are needed"
        raise ContractError(msg)
    _check_annotations(adata)
    _check_unique("obs_names", adata.obs_names)
    _check_unique("var_names", adata.var_names)
    if adata.X is None:
        msg = "X: is empty; prepared data hold log-normalised expression there"
        raise ContractError(msg)
    if not np.issubdtype(adata.X.dtype, np.floating):
        msg = (
            f"X: has type {adata.X.dtype}; prepared data are log-normalised floats. "
            "Run intae.prepare on the raw counts"
        )
        raise ContractError(msg)
    if values:
        _check_finite(adata)


def _check_annotations(adata: AnnData) -> None:
    if "annotations" not in adata.varm:
        msg = 'varm["annotations"]: is missing (genes x terms, 0/1); run intae.prepare first'
        raise ContractError(msg)
    if "terms" not in adata.uns:
        msg = 'uns["terms"]: is missing (the names of the terms); run intae.prepare first'
        raise ContractError(msg)
    terms = pd.Index(np.asarray(adata.uns["terms"]).astype(str))
    annotations = get_annotations(adata)
    if annotations.ndim != 2 or annotations.shape[1] != len(terms):
        msg = (
            f'varm["annotations"]: has shape {annotations.shape}, but uns["terms"] '
            f"names {len(terms)} terms"
        )
        raise ContractError(msg)
    if not np.isin(annotations, (0, 1)).all():
        msg = 'varm["annotations"]: holds values other than 0 and 1'
        raise ContractError(msg)
    _check_unique('uns["terms"]', terms)
    empty = terms[annotations.sum(0) == 0]
    if len(empty):
        msg = f'varm["annotations"]: {len(empty)} terms have no gene, {empty[0]!r} among them'
        raise ContractError(msg)


def _check_unique(slot: str, names: pd.Index) -> None:
    if not names.is_unique:
        twice = names[names.duplicated()][0]
        msg = f"{slot}: {twice!r} stands there more than once; make the names unique"
        raise ContractError(msg)


def _check_finite(adata: AnnData) -> None:
    from .moments import iter_chunks

    for start, block in iter_chunks(adata.X):
        bad = ~np.isfinite(block)
        if bad.any():
            cell, gene = np.argwhere(bad)[0]
            msg = (
                f"X: {block[cell, gene]} at cell {adata.obs_names[start + cell]!r}, "
                f"gene {adata.var_names[gene]!r}; all values must be finite"
            )
            raise ContractError(msg)


def get_annotations(adata: AnnData) -> np.ndarray:
    """Return the annotation matrix I of prepared data.

    Returns
    -------
    Array of 0 and 1, genes x terms, dense.
    """
    annotations = adata.varm["annotations"]
    if isinstance(annotations, pd.DataFrame):
        annotations = annotations.to_numpy()
    if sparse.issparse(annotations):
        annotations = annotations.toarray()
    return np.asarray(annotations)


def get_terms(adata: AnnData) -> pd.Index:
    """Return the names of the annotated terms of prepared data, in full and in order."""
    return pd.Index(np.asarray(adata.uns["terms"]).astype(str), name="term")


def annotation_table(adata: AnnData) -> pd.DataFrame:
    """Return the annotation matrix of prepared data with its names: DataFrame, genes x terms."""
    return pd.DataFrame(get_annotations(adata), adata.var_names, get_terms(adata))


def check_fit(adata: AnnData) -> None:
    """Refuse a fit (`fit.h5ad`) that does not keep the contract, naming the slot at fault.

    Raises
    ------
    ContractError
        If a slot is missing or shapes do not agree.
    """
    for slot, key in (("obsm", "loadings"), ("varm", "weights"), ("uns", "terms"), ("uns", "fit")):
        if key not in getattr(adata, slot):
            msg = f'{slot}["{key}"]: is missing; this is not a fit written by intae'
            raise ContractError(msg)
    terms = adata.uns["terms"]
    missing = [c for c in TERM_COLUMNS if c not in terms.columns]
    if missing:
        msg = f'uns["terms"]: column {missing[0]!r} is missing'
        raise ContractError(msg)
    for name, array in (("obsm", adata.obsm["loadings"]), ("varm", adata.varm["weights"])):
        if array.shape[1] != len(terms):
            msg = f'{name}: {array.shape[1]} columns, but uns["terms"] has {len(terms)} rows'
            raise ContractError(msg)
        if not np.isfinite(array).all():
            msg = f"{name}: holds values that are not finite"
            raise ContractError(msg)


def join_terms(names: Iterable[str]) -> str:
    """Write names of terms into one field of a table."""
    return BETWEEN_TERMS.join(names)


def split_terms(field: object) -> list[str]:
    """Read what :func:`join_terms` wrote; an empty field has no names."""
    return [] if pd.isna(field) or field == "" else str(field).split(BETWEEN_TERMS)

"""Prepared data: the contract, their terms, and covariates.

Every model checks its data here first, so that a broken file is refused by the name of the slot at
fault and not by a traceback from somewhere inside a model.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .chunks import CHUNK as CHUNK
from .chunks import dense, first_rows, map_chunks, matrix_of
from .chunks import iter_chunks as iter_chunks
from .errors import ContractError, IntaeError, suggest
from .moments import Moments as Moments
from .moments import second_moments as second_moments

log = logging.getLogger(__name__)

TERM_COLUMNS = (
    "kind", "n_genes", "relevance", "active", "genes_added", "genes_removed",
)  # fmt: skip

# of the table of gene sets
SET_COLUMNS = ("name", "n_genes", "in_data", "kept_genes", "kept", "why")

# Between names of terms in one field of a table: gene sets of some collections have spaces, commas
# and semicolons in their names.
BETWEEN_TERMS = " | "


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
    X = matrix_of(adata)
    if X is None:
        msg = "X: is empty; prepared data hold log-normalised expression there"
        raise ContractError(msg)
    if not np.issubdtype(X.dtype, np.floating):
        msg = (
            f"X: has type {X.dtype}; prepared data are log-normalised floats. "
            "Run intae.prepare on the raw counts"
        )
        raise ContractError(msg)
    if values:
        check_finite(adata)


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


def check_finite(adata: AnnData) -> None:
    """Refuse data with a value that is not finite, naming its cell and gene.

    Raises
    ------
    ContractError
        For the first such value.
    """
    for rows, broken in map_chunks(_first_broken, matrix_of(adata)):
        if broken is not None:
            cell, gene, value = broken
            msg = (
                f"X: {value} at cell {adata.obs_names[rows.start + cell]!r}, "
                f"gene {adata.var_names[gene]!r}; all values must be finite"
            )
            raise ContractError(msg)


def _first_broken(block) -> tuple[int, int, float] | None:
    """Return cell, gene and value of the first entry that is not finite."""
    if np.isfinite(block.data if sparse.issparse(block) else block).all():
        return None
    block = dense(block)
    cell, gene = np.argwhere(~np.isfinite(block))[0]
    return cell, gene, block[cell, gene]


@contextmanager
def naming_values(adata: AnnData) -> Iterator[None]:
    """Name the cell and the gene where :func:`second_moments` of the data found a broken value."""
    try:
        yield
    except ContractError:
        check_finite(adata)
        raise


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


def gene_set_table(adata: AnnData) -> pd.DataFrame:
    """Return what became of each gene set when the data were prepared.

    Returns
    -------
    One row per gene set given, in order, with name, n_genes (genes in the set), in_data (those in
    the data), kept_genes (those among the variable genes and those asked for), kept, and why it
    is not. Simulated data, of which nothing is dropped, have their terms.
    """
    if "gene_sets" in adata.uns:
        table = adata.uns["gene_sets"][[*SET_COLUMNS[1:]]]
        return table.rename_axis("name").reset_index()
    n_genes = get_annotations(adata).sum(0).astype(int)
    columns = (get_terms(adata), n_genes, n_genes, n_genes, True, "")
    return pd.DataFrame(dict(zip(SET_COLUMNS, columns, strict=True)))


def tell_lost(adata: AnnData, names: Iterable[str]) -> None:
    """Warn in the log of each of these terms that is not there since its gene set was dropped."""
    table = gene_set_table(adata).set_index("name")
    for name in names:
        if name not in table.index:
            log.warning("%s: there is no gene set of this name", name)
        elif not table.loc[name, "kept"]:
            row = table.loc[name]
            log.warning(
                "%s: the gene set is dropped, with %s: of its %d genes %d are in the data, and %d "
                "of these were kept; keep_sets would keep it and them",
                name, row["why"], row["n_genes"], row["in_data"], row["kept_genes"],
            )  # fmt: skip


def check_named(
    named: Mapping[str, Iterable[str]],
    known: Iterable[str],
    where: str,
    dropped: Mapping[str, str] | None = None,
) -> None:
    """Refuse a term that no gene set is called, or that a figure needs and the data do not have.

    Parameters
    ----------
    named
        Key of an entry of `analyses` in the config -> the terms that it names.
    known
        Names of all gene sets.
    where
        Where the entry stands, for messages.
    dropped
        Of the sets that are no terms: name -> why. Only the two of `scatter` are refused, whose
        figure would be of others.

    Raises
    ------
    IntaeError
        Naming the key, the term and the nearest one, or how to keep it.
    """
    known, dropped = list(known), dropped or {}
    for key, terms in named.items():
        for term in terms:
            if term not in known:
                near = difflib.get_close_matches(term, known, n=1) or [*known[:5], "..."]
                msg = f"{where}: {key}: there is no gene set {term!r}{suggest(term, near)}"
                raise IntaeError(msg)
            if key == "scatter" and term in dropped:
                msg = f"{where}: scatter: {term!r} is no term of the data, with {dropped[term]}; "
                raise IntaeError(f"{msg}name it in keep_sets of the data set, or draw another term")


def join_terms(names: Iterable[str]) -> str:
    """Write names of terms into one field of a table."""
    return BETWEEN_TERMS.join(names)


def split_terms(field: object) -> list[str]:
    """Read what :func:`join_terms` wrote; an empty field has no names."""
    return [] if pd.isna(field) or field == "" else str(field).split(BETWEEN_TERMS)


def is_integer(X) -> bool:
    """Say whether all values of the first 200 cells are integers (100,000 of them at most)."""
    if X is None:
        return False
    block = first_rows(X, 200)
    values = block.data if sparse.issparse(block) else np.asarray(block).ravel()
    values = np.asarray(values[:100_000])
    return bool((values == np.round(values)).all()) if np.isfinite(values).all() else False


def design_matrix(
    obs: pd.DataFrame, columns: Sequence[str], categories: dict[str, list[str]] | None = None
) -> tuple[np.ndarray, list[str], dict[str, list[str]]]:
    """Code covariates as numbers: a numeric column as it is, a categorical one as indicators.

    Indicators leave out the first category, since the genes are centred. Numeric columns are
    neither centred nor scaled here.

    Parameters
    ----------
    obs
        One row per cell.
    columns
        The covariates, names of columns of obs.
    categories
        The categories of each categorical column, as returned for the training cells; None to
        take them from `obs`.

    Returns
    -------
    matrix
        cells x covariates, float64.
    names
        One per column of the matrix, `column` or `column=category`.
    categories
        Of each categorical column, sorted.

    Raises
    ------
    IntaeError
        If a column is missing, has missing values, or holds a category that is not known.
    """
    known, blocks, names = {}, [], []
    for column in columns:
        if column not in obs:
            msg = f"covariate {column!r} is not a column of obs; there are {', '.join(obs.columns)}"
            raise IntaeError(msg)
        values = obs[column]
        if values.isna().any():
            msg = f"covariate {column!r} has {int(values.isna().sum())} missing values"
            raise IntaeError(msg)
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            blocks.append(values.to_numpy(np.float64)[:, None])
            names.append(column)
            continue
        values = values.astype(str)
        levels = sorted(values.unique()) if categories is None else categories[column]
        new = sorted(set(values) - set(levels))
        if new:
            msg = f"covariate {column!r}: category {new[0]!r} was not in the training cells"
            raise IntaeError(msg)
        known[column] = list(levels)
        blocks.append((values.to_numpy()[:, None] == np.array(levels[1:])).astype(np.float64))
        names += [f"{column}={level}" for level in levels[1:]]
    matrix = np.hstack(blocks) if blocks else np.empty((len(obs), 0))
    return matrix, names, known

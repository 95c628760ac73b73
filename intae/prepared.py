"""Prepared data: the contract, and what models take of it: second moments and covariates.

Every model checks its data here first, so that a broken file is refused by the name of the slot at
fault and not by a traceback from somewhere inside a model.

The exact models see the data only through the mean of each gene and the Gram matrix of the centred
genes (:func:`second_moments`). Both are sums over cells, so they are accumulated in one pass over
chunks of an array, a sparse matrix or a file; sums of parts can be added up.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .errors import ContractError, IntaeError, suggest

log = logging.getLogger(__name__)

TERM_COLUMNS = (
    "kind", "n_genes", "relevance", "active", "genes_added", "genes_removed",
)  # fmt: skip

# of the table of gene sets
SET_COLUMNS = ("name", "n_genes", "in_data", "kept_genes", "kept", "why")

# Between names of terms in one field of a table: gene sets of some collections have spaces, commas
# and semicolons in their names.
BETWEEN_TERMS = " | "

CHUNK = 2048  # cells per block: some MB dense at 1,000 genes


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
    if sparse.issparse(adata.X) and np.isfinite(adata.X.data).all():
        return
    for start, block in iter_chunks(adata.X):
        bad = ~np.isfinite(block)
        if bad.any():
            cell, gene = np.argwhere(bad)[0]
            msg = (
                f"X: {block[cell, gene]} at cell {adata.obs_names[start + cell]!r}, "
                f"gene {adata.var_names[gene]!r}; all values must be finite"
            )
            raise ContractError(msg)


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


def iter_chunks(X, size: int = CHUNK) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rows of X in dense float64 blocks.

    Parameters
    ----------
    X
        cells x genes: array, scipy sparse matrix, or the X of a backed AnnData.
    size
        Cells per block; no more than one block is ever dense.

    Yields
    ------
    (index of the block's first cell, block of shape (<= size, n_genes))
    """
    for start in range(0, X.shape[0], size):
        block = X[start : start + size]
        if sparse.issparse(block):
            block = block.toarray()
        yield start, np.asarray(block, dtype=np.float64)


@dataclass
class Moments:
    """Mean and Gram matrix of the genes, and of further columns beside them.

    Attributes
    ----------
    n_cells
        Number of cells, N.
    mean
        Mean of each gene, shape (n_genes,).
    gram
        X'X of X = [Y - mean, extra], shape (n_genes + n_extra, n_genes + n_extra); not divided
        by N. The extra columns are taken as they are.
    """

    n_cells: int
    mean: np.ndarray
    gram: np.ndarray

    @property
    def n_genes(self) -> int:
        """Number of genes, G."""
        return len(self.mean)

    @property
    def covariance(self) -> np.ndarray:
        """S = Y'Y / N of the centred genes, genes x genes."""
        return self.gram[: self.n_genes, : self.n_genes] / self.n_cells

    def at_unit_variance(self) -> tuple[Moments, np.ndarray]:
        """Return the moments with each gene divided by its standard deviation, and what divides.

        A gene that does not vary is left as it is. `mean` stays that of the genes undivided.
        """
        variance = np.diag(self.gram)[: self.n_genes] / self.n_cells
        varies = variance > 1e-12 * variance.max(initial=0.0)
        scale = np.where(varies, np.sqrt(np.where(varies, variance, 1.0)), 1.0)
        return self.divided_by(scale), scale

    def divided_by(self, scale: np.ndarray) -> Moments:
        """Return the moments with each gene divided by its entry of `scale`; `mean` stays."""
        columns = np.concatenate([scale, np.ones(len(self.gram) - self.n_genes)])
        return Moments(self.n_cells, self.mean, self.gram / columns / columns[:, None])


def second_moments(X, extra: np.ndarray | None = None, *, chunk: int = CHUNK) -> Moments:
    """Accumulate mean and Gram matrix in one pass over the cells.

    Parameters
    ----------
    X
        cells x genes: array, sparse matrix, or the X of a backed AnnData; not centred.
    extra
        cells x columns to stand beside the genes (starting factors, covariates), not centred.
    chunk
        Cells per block. Sums are taken block by block in order, so the result depends on the
        chunk only to rounding.

    Returns
    -------
    :class:`Moments`, float64.

    Raises
    ------
    ContractError
        If X holds a value that is not finite: the sums tell, without a pass of its own. Which
        one it is, :func:`naming_values` finds out.
    """
    n_cells, n_genes = X.shape
    width = n_genes + (0 if extra is None else extra.shape[1])
    total = np.zeros(width)
    gram = np.zeros((width, width))
    # A shift near the mean keeps digits that the difference of two large sums would lose.
    shift = np.zeros(width)
    with np.errstate(invalid="ignore", over="ignore"):  # told of in one sentence instead
        for start, block in iter_chunks(X, chunk):
            if start == 0:
                shift[:n_genes] = block.mean(0)
            if extra is not None:
                block = np.hstack([block, extra[start : start + len(block)]])
            block = block - shift
            total += block.sum(0)
            gram += block.T @ block
    if not np.isfinite(total[:n_genes]).all():
        msg = "X: holds values that are not finite"
        raise ContractError(msg)
    if n_cells > 1 and not np.diag(gram)[:n_genes].any():  # about the first block's mean
        msg = "X: all cells are equal, so no gene varies; is it the right matrix?"
        raise ContractError(msg)
    offset = total / n_cells
    offset[n_genes:] = 0  # extra columns stay as they are
    # sum (x - o)(x - o)' = sum xx' - t o' - o t' + N oo'; per entry, so that extras keep theirs
    cross = np.outer(total, offset)
    gram += n_cells * np.outer(offset, offset) - cross - cross.T
    return Moments(n_cells, (shift + offset)[:n_genes], (gram + gram.T) / 2)


def is_integer(X) -> bool:
    """Say whether all values of the first 200 cells are integers (100,000 of them at most)."""
    if X is None:
        return False
    block = X[:200]
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

"""Second moments of the cells, in one pass: all that the exact models see of the data.

The mean of each gene and the Gram matrix of the centred genes are sums over cells, so they are
accumulated over chunks (:mod:`.chunks`) of an array, a sparse matrix, a file or Dask. X is stored
in float32 as a rule; products and sums are of float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse

from .chunks import dense, first_rows, is_sparse_enough, sum_chunks
from .errors import ContractError

SPARSE_CHUNK = 16_384  # cells per block of sparse products, none of which becomes dense
FIRST = 200  # cells, read once more, that tell about where the means are
MANY = 10_000  # cells from which the sparse product is worth the second that compiling it takes


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


def second_moments(X, extra: np.ndarray | None = None, *, chunk: int | None = None) -> Moments:
    """Accumulate mean and Gram matrix in one pass over the cells.

    Parameters
    ----------
    X
        cells x genes: array, sparse matrix, the X of a backed AnnData, or a Dask array; not
        centred.
    extra
        cells x columns to stand beside the genes (starting factors, covariates), not centred.
    chunk
        Most cells per block; None for what is fast. Sums are taken block by block, so the result
        depends on the chunk only to rounding.

    Returns
    -------
    :class:`Moments`, float64.

    Raises
    ------
    ContractError
        If X holds a value that is not finite: the sums tell, without a pass of its own. Which
        one it is, :func:`intae.prepared.naming_values` finds out.
    """
    n_cells, n_genes = X.shape
    width = n_genes + (0 if extra is None else extra.shape[1])
    first = first_rows(X, FIRST)
    shift = np.zeros(width)
    by_sparse = n_cells >= MANY and is_sparse_enough(first)
    with np.errstate(invalid="ignore", over="ignore"):  # told of in one sentence instead
        if not by_sparse:
            # A shift near the mean keeps digits that the difference of two large sums would lose.
            # Where most entries are zero, few means are large beside their gene's spread.
            shift[:n_genes] = dense(first).mean(0)
        del first
        total, gram = sum_chunks(
            _sparse_sums if by_sparse else _dense_sums, X, *([] if extra is None else [extra]),
            given=[shift], size=chunk or (SPARSE_CHUNK if by_sparse else None),
            doing="second moments",
        )  # fmt: skip
    if not np.isfinite(total[:n_genes]).all():
        msg = "X: holds values that are not finite"
        raise ContractError(msg)
    if by_sparse:  # which gives the entries above the diagonal, some of them below
        gram += gram.T
        gram[np.diag_indices(width)] /= 2
    about_shift = np.diag(gram)[:n_genes].copy()
    offset = total / n_cells
    offset[n_genes:] = 0  # extra columns stay as they are
    # sum (x - o)(x - o)' = sum xx' - t o' - o t' + N oo'; per entry, so that extras keep theirs
    cross = np.outer(total, offset)
    gram += n_cells * np.outer(offset, offset) - cross - cross.T
    gram = (gram + gram.T) / 2
    if n_cells > 1 and not (np.diag(gram)[:n_genes] > 1e-12 * about_shift).any():
        msg = "X: all cells are equal, so no gene varies; is it the right matrix?"
        raise ContractError(msg)
    return Moments(n_cells, (shift + offset)[:n_genes], gram)


def _dense_sums(block, *beside_and_shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sum and Gram matrix of [block, beside] - shift."""
    *beside, shift = beside_and_shift
    x = np.hstack([dense(block), *beside]) - shift
    return x.sum(0), x.T @ x


def _sparse_sums(block, *beside_and_shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sum and half of the Gram matrix of [block, beside]: each pair of columns once."""
    *beside, shift = beside_and_shift
    block = sparse.csr_matrix(block)
    if not block.has_canonical_format:
        block = block.copy()
        block.sum_duplicates()
    n_genes, width = block.shape[1], len(shift)
    values = block.data.astype(np.float64, copy=False)
    total, half = np.zeros(width), np.zeros((width, width))
    _compiled()(block.indptr, block.indices, values, half)
    total[:n_genes] = np.bincount(block.indices, weights=values, minlength=n_genes)
    if beside:
        (extra,) = beside
        half[:n_genes, n_genes:] = block.T @ extra
        own = extra.T @ extra
        half[n_genes:, n_genes:] = np.triu(own)
        total[n_genes:] = extra.sum(0)
    return total, half


@cache
def _compiled():
    """Return a function that adds to `half` the products of each pair of a cell's entries."""
    from numba import njit  # as scanpy does; not at the top, since it takes a second

    @njit(nogil=True)
    def add_products(indptr, indices, values, half):
        for cell in range(len(indptr) - 1):
            stop = indptr[cell + 1]
            for i in range(indptr[cell], stop):
                row, value = half[indices[i]], values[i]
                for j in range(i, stop):
                    row[indices[j]] += value * values[j]

    return add_products

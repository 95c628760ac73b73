"""The second moments of the data: the one pass over the cells that the exact models need.

The closed-form autoencoder and the exact f-scLVM see the data only through the mean of each gene
and the Gram matrix of the centred genes. Both are sums over cells, so they can be accumulated over
chunks of an array, a sparse matrix or a file, or over workers, and added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

CHUNK = 2048  # cells a block: some MB dense at 1,000 genes


def iter_chunks(X, size: int = CHUNK) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rows of X in dense float64 blocks.

    Parameters
    ----------
    X
        cells x genes: array, scipy sparse matrix, or the X of a backed AnnData.
    size
        Cells in a block; no more than one block is ever dense.

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


def second_moments(X, extra: np.ndarray | None = None, *, chunk: int = CHUNK) -> Moments:
    """Accumulate mean and Gram matrix in one pass over the cells.

    Parameters
    ----------
    X
        cells x genes: array, sparse matrix, or the X of a backed AnnData; not centred.
    extra
        cells x columns to stand beside the genes (starting factors, covariates), not centred.
    chunk
        Cells in a block. Sums are taken block by block in order, so the result depends on the
        chunk only to rounding.

    Returns
    -------
    :class:`Moments`, float64.
    """
    n_cells, n_genes = X.shape
    width = n_genes + (0 if extra is None else extra.shape[1])
    total = np.zeros(width)
    gram = np.zeros((width, width))
    # A shift near the mean keeps digits that the difference of two large sums would lose.
    shift = np.zeros(width)
    for start, block in iter_chunks(X, chunk):
        if start == 0:
            shift[:n_genes] = block.mean(0)
        if extra is not None:
            block = np.hstack([block, extra[start : start + len(block)]])
        block = block - shift
        total += block.sum(0)
        gram += block.T @ block
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

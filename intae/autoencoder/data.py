"""Prepared data as the solvers want them: centred blocks of cells, and their second moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from anndata import AnnData
from scipy import sparse

from ..prepared import CHUNK, design_matrix, iter_chunks, second_moments


class Cells:
    """Centred cells with their covariates, read in blocks; X is never dense as a whole.

    Parameters
    ----------
    adata
        Prepared data: dense, sparse or backed.
    covariates
        Columns of obs, equation 2's X.

    Attributes
    ----------
    mean
        Mean of each gene.
    covariance
        S: covariance of the genes, without what the covariates explain.
    effects
        Phi of equation 2 by least squares, genes x covariates.
    covariate_names, categories
        See :func:`intae.prepared.design_matrix`.
    """

    def __init__(self, adata: AnnData, covariates: Sequence[str] | None):
        self.X = adata.X
        self.n_cells, self.n_genes = adata.shape
        design, names, categories = design_matrix(adata.obs, covariates or [])
        self.covariate_names, self.categories = names, categories
        self.covariate_mean = design.mean(0)
        self.design = design - self.covariate_mean
        moments = second_moments(adata.X, self.design if len(names) else None)
        self.mean = moments.mean
        self.effects, self.covariance = _regress_out(
            moments.gram / self.n_cells, self.n_genes, names
        )

    def blocks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield (cells, their centred genes, their centred covariates), float64, in order."""
        for start, block in iter_chunks(self.X, CHUNK):
            cells = slice(start, start + len(block))
            yield cells, block - self.mean, self.design[cells]

    def second_moment(self, adata: AnnData, covariates: Sequence[str] | None) -> np.ndarray:
        """Return the second moment of other cells about these cells' mean and covariate effects."""
        design, _, _ = design_matrix(adata.obs, covariates or [], self.categories)
        total = np.zeros((self.n_genes, self.n_genes))
        for start, block in iter_chunks(adata.X):
            X = design[start : start + len(block)] - self.covariate_mean
            left = block - self.mean - X @ self.effects.T
            total += left.T @ left
        return total / adata.n_obs

    def batch(self, cells: np.ndarray) -> np.ndarray:
        """Return the centred genes of some cells, float32; `cells` in increasing order."""
        block = self.X[cells]
        block = block.toarray() if sparse.issparse(block) else np.asarray(block)
        return block.astype(np.float32) - self.mean.astype(np.float32)


def _regress_out(
    moments: np.ndarray, n_genes: int, names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return least squares effects of the covariates and the covariance of what is left."""
    S, cross, own = (
        moments[:n_genes, :n_genes],
        moments[:n_genes, n_genes:],
        moments[n_genes:, n_genes:],
    )
    if not names:
        return cross.copy(), S.copy()
    if np.linalg.matrix_rank(own) < len(names):
        msg = (
            f"the covariates {', '.join(names)} are constant or repeat each other; "
            "leave one of them out"
        )
        raise ValueError(msg)
    effects = np.linalg.solve(own, cross.T).T
    left = S - effects @ cross.T
    return effects, (left + left.T) / 2

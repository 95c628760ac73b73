"""Prepared data as the solvers want them: centred blocks of cells, and their second moments.

With covariates x_n (equation 2) their least squares effects are taken off the moments, which is
exact: see :mod:`.objective`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from anndata import AnnData
from scipy import sparse

from ..chunks import is_dask, iter_chunks, matrix_of
from ..errors import IntaeError
from ..moments import second_moments
from ..prepared import design_matrix, naming_values
from .objective import Loadings


class Cells:
    """Centred cells with their covariates, read in blocks; X is never dense as a whole.

    Parameters
    ----------
    adata
        Prepared data: dense, sparse, backed or of Dask; passed over once here.
    covariates
        Columns of obs, equation 2's X.

    Raises
    ------
    ContractError
        If X has values that are not finite.
    IntaeError
        If a covariate is missing, constant, or repeats others.

    Attributes
    ----------
    mean
        Mean per gene.
    covariance
        S: covariance of the genes, without what the covariates explain.
    effects
        Phi of equation 2 by least squares, genes x covariates.
    covariate_names, categories
        See :func:`intae.prepared.design_matrix`.
    """

    def __init__(self, adata: AnnData, covariates: Sequence[str] | None):
        self.X = matrix_of(adata)
        self.n_cells, self.n_genes = adata.shape
        design, names, categories = design_matrix(adata.obs, covariates or [])
        self.covariate_names, self.categories = names, categories
        self.covariate_mean = design.mean(0)
        self.design = design - self.covariate_mean
        with naming_values(adata):
            moments = second_moments(self.X, self.design if names else None)
        self.mean = moments.mean
        self.effects, self.covariance = _regress_out(
            moments.gram / self.n_cells, self.n_genes, names
        )

    def blocks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield (cells, their centred genes, their centred covariates), float64, in order."""
        for start, block in iter_chunks(self.X):
            cells = slice(start, start + len(block))
            yield cells, block - self.mean, self.design[cells]

    def moments_of(
        self,
        encode: Callable[[np.ndarray, np.ndarray], np.ndarray],
        effects: np.ndarray,
        loadings: np.ndarray | None = None,
    ) -> tuple[Loadings, float]:
        """Return the moments of the loadings that an encoder gives, in one pass over the cells.

        Parameters
        ----------
        encode
            Function of centred genes and centred covariates, gives loadings.
        effects
            Phi, genes x covariates; what it explains is taken off Y after encoding.
        loadings
            Array to be filled with the loadings, cells x terms.

        Returns
        -------
        The moments, and the mean of |y_n - Phi x_n|^2.
        """
        YZ = ZZ = total = 0.0
        for rows, Y, X in self.blocks():
            Z = encode(Y, X)
            left = Y - X @ effects.T
            YZ, ZZ, total = YZ + left.T @ Z, ZZ + Z.T @ Z, total + float((left**2).sum())
            if loadings is not None:
                loadings[rows] = Z
        return Loadings(YZ / self.n_cells, ZZ / self.n_cells), total / self.n_cells

    def second_moment(self, adata: AnnData, covariates: Sequence[str] | None) -> np.ndarray:
        """Return the second moment of other cells about these cells' mean and covariate effects."""
        design, _, _ = design_matrix(adata.obs, covariates or [], self.categories)
        total = np.zeros((self.n_genes, self.n_genes))
        for start, block in iter_chunks(matrix_of(adata)):
            X = design[start : start + len(block)] - self.covariate_mean
            left = block - self.mean - X @ self.effects.T
            total += left.T @ left
        return total / adata.n_obs

    def batch(self, cells: np.ndarray) -> np.ndarray:
        """Return the centred genes of some cells, float32; `cells` in increasing order."""
        block = self.X[cells].compute() if is_dask(self.X) else self.X[cells]
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
        raise IntaeError(msg)
    effects = np.linalg.solve(own, cross.T).T
    left = S - effects @ cross.T
    return effects, (left + left.T) / 2

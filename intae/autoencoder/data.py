"""Prepared data as the solvers want them: centred blocks of cells, and their second moments.

With covariates x_n (equation 2) their least squares effects are taken off the moments, which is
exact: see :mod:`.objective`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from anndata import AnnData
from scipy import sparse

from ..chunks import ahead, decompressing, is_dask, iter_chunks, matrix_of
from ..errors import IntaeError
from ..moments import second_moments
from ..prepared import design_matrix, naming_values
from .objective import Loadings

RUN = 256  # neighbouring cells that are read together
BUFFER = 2**26  # bytes of cells that are shuffled together: 16,384 cells of 1,000 genes


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
        self.X = decompressing(matrix_of(adata))
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

    def batch(self, cells: np.ndarray | slice) -> np.ndarray:
        """Return the centred genes of some cells, float32; `cells` in increasing order."""
        block = self.X[cells].compute() if is_dask(self.X) else self.X[cells]
        block = block.toarray() if sparse.issparse(block) else np.asarray(block)
        return block.astype(np.float32) - self.mean.astype(np.float32)

    def shuffled(
        self, size: int, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield all cells in batches, shuffled, from a file or Dask without reading cell by cell.

        Runs of neighbouring cells are read in random order into a buffer, while the batches of the
        buffer before are worked on; the cells of a buffer are shuffled.

        Parameters
        ----------
        size
            Cells per batch; the last one may have fewer, but one cell alone joins those before.
        random
            Draws the order.

        Yields
        ------
        Which cells, and their centred genes, float32.
        """
        for cells, Y in ahead(self._buffers(size, random)):
            for some in in_batches(len(cells), size):
                yield cells[some], Y[some]

    def _buffers(
        self, size: int, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield shuffled cells, whole batches but for the last ones, and their centred genes."""
        n_runs = -(-self.n_cells // RUN)
        order = random.permutation(n_runs)
        at_once = max(BUFFER // (4 * self.n_genes * RUN), 1)
        kept = np.empty(0, dtype=int), np.empty((0, self.n_genes), dtype=np.float32)
        for first in range(0, n_runs, at_once):
            runs = [
                slice(run * RUN, min((run + 1) * RUN, self.n_cells))
                for run in np.sort(order[first : first + at_once])
            ]
            cells = np.concatenate([kept[0], *(np.arange(run.start, run.stop) for run in runs)])
            Y = np.concatenate([kept[1], *(self.batch(run) for run in runs)])
            mixed = random.permutation(len(cells))
            last = first + at_once >= n_runs
            # At least one cell stays for the next buffer, so that no last batch can be empty.
            whole = len(cells) if last else (len(cells) - 1) // size * size
            now, later = mixed[:whole], mixed[whole:]
            kept = cells[later], Y[later]
            if whole:
                yield cells[now], Y[now]


def in_batches(n_cells: int, size: int) -> Iterator[slice]:
    """Yield the places of each batch; a last cell alone, without a variance, joins those before."""
    starts = list(range(0, n_cells, size))
    if len(starts) > 1 and n_cells - starts[-1] == 1:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], n_cells], strict=True):
        yield slice(start, stop)


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

"""Expression on its way to prepared data: its scale, its normalisation, its variable genes.

Two classes answer the same questions of a matrix: :class:`InMemory` holds the annotated genes of
all cells; :class:`InChunks` passes over the cells and holds a few numbers per cell and gene. They
keep the same genes and give the same values.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .chunks import (
    first_rows,
    map_chunks,
    matrix_of,
    read_chunks,
)
from .errors import IntaeError
from .scale import (
    Values,
    find_scale,
    first_broken,
    is_finite,
    look_at,
    refuse_centred,
    refuse_values,
    variances,
)
from .variable_genes import FLAVORS, IN_CHUNKS, OF_COUNTS, most_variable, most_variable_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a user asks of :func:`intae.prepare`; `flavor` is None where all genes are kept."""

    layer: str | None
    scale: str | None
    normalize: bool
    log1p: bool
    target_sum: float | None
    flavor: str | None

    @property
    def where(self) -> str:
        """What the matrix is called in messages."""
        return "X" if self.layer is None else f"layer {self.layer!r}"


@dataclass(frozen=True)
class Steps:
    """What is done to a matrix: its scale, whether it is normalised, to which total, and logged."""

    scale: str
    normalize: bool
    log1p: bool
    total: float | None = None


def decide(values: Values, asked: Asked) -> Steps:
    """Return what is to be done to a matrix of these values.

    Raises
    ------
    IntaeError
        If the scale cannot be told, or a flavour needs counts and there are none.
    """
    scale = asked.scale
    if scale is None and not (asked.normalize or asked.log1p):  # taken as it is: need not be told
        scale = "counts" if values.integer and values.low >= 0 else "log"
    scale = find_scale(values, scale, asked.where)
    if asked.flavor in OF_COUNTS and (scale != "counts" or not values.integer):
        msg = f"hvg_flavor {asked.flavor!r} needs raw counts, but {asked.where} "
        msg += f"holds none; give counts (layer=), or take one of {', '.join(FLAVORS[:2])}"
        raise IntaeError(msg)
    return _steps(scale, asked)


def _steps(scale: str, asked: Asked) -> Steps:
    return Steps(scale, asked.normalize and scale == "counts", asked.log1p and scale != "log")


def _total(totals: np.ndarray, asked: Asked, cells: pd.Index) -> float:
    """Return the total that cells are normalised to."""
    empty = totals <= 0
    if empty.any():
        msg = f"{empty.sum()} cells have no counts at all, {cells[empty][0]!r} among them"
        raise IntaeError(f"{msg}; remove them first")
    return float(np.median(totals)) if asked.target_sum is None else float(asked.target_sum)


def _size_factor(totals: np.ndarray, steps: Steps, values: Values) -> np.ndarray | None:
    if steps.normalize and steps.log1p and values.integer:
        return totals.astype(np.float64) / steps.total
    return None


def _matrix(adata: AnnData, asked: Asked):
    X = matrix_of(adata, asked.layer)
    if X is None or 0 in adata.shape:
        msg = f"{asked.where} is empty ({adata.n_obs} cells x {adata.n_vars} genes)"
        raise IntaeError(msg)
    return X


class InMemory:
    """Some genes of a matrix, normalised and logged, in memory.

    Parameters
    ----------
    adata
        cells x genes; not changed. Of a backed one only these genes come into memory.
    asked
        What is to be done.
    genes
        Which genes are looked at, bool, one per gene of the data.

    Attributes
    ----------
    steps
        What was done.
    size_factor
        What each cell was divided by, where counts can be restored with it; None elsewhere.
    """

    def __init__(self, adata: AnnData, asked: Asked, genes: np.ndarray):
        self.X, totals, values = _read(adata, asked, genes)
        self.steps, self.counts = decide(values, asked), None
        if values.low < 0:
            refuse_centred(np.asarray(self.X.mean(0)).ravel(), variances(self.X), asked.where)
        if asked.flavor in OF_COUNTS:
            self.counts = self.X.copy()
        if self.steps.normalize:
            total = _total(totals, asked, adata.obs_names)
            self.steps = replace(self.steps, total=total)
        self.size_factor = _size_factor(totals, self.steps, values)
        _apply(self.X, totals, self.steps)

    def that_vary(self, genes: np.ndarray) -> np.ndarray:
        """Return the mask of those of the genes (a mask) that vary."""
        genes = genes.copy()
        if genes.any():
            genes[genes] = variances(self.X[:, genes]) > 0
        return genes

    def most_variable(self, genes: np.ndarray, n_hvgs: int, flavor: str) -> np.ndarray:
        """Return the mask of the most variable ones of the genes (a mask)."""
        genes = genes.copy()
        counts = None if self.counts is None else self.counts[:, genes]
        genes[genes] = most_variable(AnnData(self.X[:, genes]), n_hvgs, flavor, counts)
        return genes

    def of_genes(self, genes: np.ndarray) -> np.ndarray | sparse.csr_matrix:
        """Return the expression of some genes, by their positions among those looked at."""
        X = self.X[:, genes]
        return X if sparse.issparse(X) else np.ascontiguousarray(X)


class InChunks:
    """Some genes of a matrix that is too large for the memory, read in chunks of cells.

    One pass finds scale, totals, and mean and variance of the genes; the genes that are chosen are
    read in another. The means and variances that tell which genes vary most (`seurat`) are of
    normalised values without their logarithm, so they scale with the total, which need not be known
    before. Where that is not so (`cell_ranger`), and where the first cells do not tell the scale of
    the others, the first pass is done again.

    Parameters and attributes are those of :class:`InMemory`.
    """

    def __init__(self, adata: AnnData, asked: Asked, genes: np.ndarray):
        if asked.flavor is not None and asked.flavor not in IN_CHUNKS:
            msg = f"hvg_flavor {asked.flavor!r} needs all cells in memory; take another of"
            raise IntaeError(f"{msg} {', '.join(IN_CHUNKS)}, or n_hvgs=None for all genes")
        self.X, self.genes = _matrix(adata, asked), np.flatnonzero(genes)
        self.n_cells = adata.n_obs
        steps = _guess(self.X, asked)
        while True:
            values, self.totals, self.mean, self.variance = self._look(adata, asked, steps)
            self.steps = decide(values, asked)
            if self.steps.normalize:
                total = _total(self.totals, asked, adata.obs_names)
                self.steps = replace(self.steps, total=total)
            if replace(steps, total=self.steps.total) == self.steps and (
                steps.total == self.steps.total or _scales(steps, asked)
            ):
                break
            steps = self.steps
        if values.low < 0:  # logarithms, so that steps leave them as they are
            as_they_are = replace(asked, flavor=None)
            _, _, mean, variance = self._look(adata, as_they_are, self.steps)
            refuse_centred(mean, variance, asked.where)
        if steps.normalize and steps.total is None:
            self.mean, self.variance = self.mean * total, self.variance * total**2
        self.size_factor = _size_factor(self.totals, self.steps, values)

    @np.errstate(invalid="ignore")
    def _look(
        self, adata: AnnData, asked: Asked, steps: Steps
    ) -> tuple[Values, np.ndarray, np.ndarray, np.ndarray]:
        """Pass over the cells; return values, totals, and mean and variance of what varies."""
        values, totals = Values(), np.empty(self.n_cells, dtype=np.float32)
        sums, given = np.zeros((2, len(self.genes))), [self.genes, steps, asked.flavor]
        passed = map_chunks(_look_at_chunk, self.X, given=given, doing="scale and variable genes")
        for rows, (broken, found, own, of_genes) in passed:
            if broken is not None:
                cells = adata.obs_names[rows]
                refuse_values(asked.where, cells[broken[0]], adata.var_names[broken[1]])
            values = found if rows.start == 0 else values | found
            totals[rows] = own
            sums += of_genes
        mean, square = sums / self.n_cells
        variance = (square - mean**2) * self.n_cells / max(self.n_cells - 1, 1)
        return values, totals, mean, np.where(variance > 1e-12 * square, variance, 0.0)

    def that_vary(self, genes: np.ndarray) -> np.ndarray:
        """Return the mask of those of the genes (a mask) that vary."""
        return genes & (self.variance > 0)

    def most_variable(self, genes: np.ndarray, n_hvgs: int, flavor: str) -> np.ndarray:
        """Return the mask of the most variable ones of the genes (a mask)."""
        genes = genes.copy()
        genes[genes] = most_variable_of(self.mean[genes], self.variance[genes], n_hvgs, flavor)
        return genes

    def chunks(self, genes: np.ndarray) -> Iterator[np.ndarray | sparse.csr_matrix]:
        """Yield the expression of some genes, chunk after chunk of cells."""
        given = [self.genes[genes], self.steps]
        passed = map_chunks(_of_genes, self.X, self.totals, given=given, doing="prepared data")
        yield from (block for _, block in passed)

    def of_genes(self, genes: np.ndarray):
        """Return the expression of some genes as an array of Dask, which is not computed yet."""
        import dask.array as da

        X = self.X.rechunk({1: -1})
        totals = da.from_array(self.totals[:, None], chunks=(X.chunks[0], 1))
        meta = _of_genes(X._meta[:0], np.ones((0, 1), np.float32), np.arange(0), self.steps)
        return da.map_blocks(
            _of_genes, X, totals, self.genes[genes], self.steps,
            dtype=np.float32, meta=meta, chunks=(X.chunks[0], (len(genes),)),
        )  # fmt: skip


def _guess(X, asked: Asked) -> Steps:
    """Return what the first cells say is to be done."""
    values = look_at(first_rows(X), asked.where, None, None)
    scale = "counts" if values.integer and values.low >= 0 else "log"
    steps = _steps(asked.scale or scale, asked)
    return replace(steps, total=asked.target_sum) if steps.normalize else steps


def _scales(steps: Steps, asked: Asked) -> bool:
    """Say whether the total only scales what tells how variable a gene is."""
    return not steps.normalize or asked.flavor is None or (asked.flavor == "seurat" and steps.log1p)


@np.errstate(over="ignore", invalid="ignore")  # of counts that are not logarithms after all
def _look_at_chunk(
    block, genes: np.ndarray, steps: Steps, flavor: str | None
) -> tuple[tuple[int, int] | None, Values, np.ndarray, np.ndarray]:
    """Return what is broken, values, totals, and sums of what varies and of its squares."""
    totals = _sums(block)
    if not is_finite(block):
        return first_broken(block), Values(), totals, np.zeros((2, len(genes)))
    values = look_at(block, "", None, None)
    if sparse.issparse(block):
        varying = block.data.astype(np.float64)
        by = np.repeat(totals, np.diff(block.indptr))
    else:
        varying, by = block[:, genes].astype(np.float64), totals[:, None]
    if steps.normalize:
        varying /= np.where(by > 0, by, 1).astype(np.float64) / (steps.total or 1.0)
    undone = steps.log1p and flavor in ("seurat", None)  # `seurat` looks behind the logarithm
    if steps.log1p and not undone:
        np.log1p(varying, out=varying)
    if flavor == "seurat" and not steps.log1p:
        np.expm1(varying, out=varying)
    if not sparse.issparse(block):
        return None, values, totals, np.stack([varying.sum(0), (varying**2).sum(0)])
    sums = [
        np.bincount(block.indices, weights, block.shape[1]) for weights in (varying, varying**2)
    ]
    return None, values, totals, np.stack(sums)[:, genes]


def _sums(block) -> np.ndarray:
    """Return the sum over all genes of each cell."""
    return np.asarray(block.sum(1), dtype=np.float32).ravel()


def _of_genes(block, totals: np.ndarray, genes: np.ndarray, steps: Steps):
    """Return the expression of some genes in a chunk of cells."""
    X = _float32(block[:, genes])
    _apply(X, totals.ravel(), steps)
    return X


def _float32(block) -> np.ndarray | sparse.csr_matrix:
    """Return a copy."""
    if sparse.issparse(block):
        return sparse.csr_matrix(block, dtype=np.float32, copy=True)
    return np.array(block, dtype=np.float32, order="C")


def _apply(X: sparse.csr_matrix | np.ndarray, totals: np.ndarray, steps: Steps) -> None:
    """Normalise and log, in place."""
    if steps.normalize:
        by = totals / steps.total
        if sparse.issparse(X):
            X.data /= np.repeat(by, np.diff(X.indptr))
        else:
            X /= by[:, None]
    if steps.log1p:
        logged = X.data if sparse.issparse(X) else X
        np.log1p(logged, out=logged)


def _read(
    adata: AnnData, asked: Asked, genes: np.ndarray
) -> tuple[sparse.csr_matrix | np.ndarray, np.ndarray, Values]:
    """Read some genes and look at all of them; a file in chunks of cells.

    Returns
    -------
    X
        cells x these genes, float32, a copy.
    totals
        Sum over all genes, of each cell.
    values
        What the values of all genes are like.
    """
    X = _matrix(adata, asked)
    blocks, totals, values = [], [], []
    chunks = [(slice(None), X)] if sparse.issparse(X) else read_chunks(X)
    for rows, block in chunks:
        values.append(look_at(block, asked.where, adata.obs_names[rows], adata.var_names))
        blocks.append(_float32(block[:, genes]))
        totals.append(_sums(block))
    whole = sparse.vstack(blocks, "csr") if sparse.issparse(blocks[0]) else np.vstack(blocks)
    return whole, np.concatenate(totals), reduce(or_, values)

"""Cells in chunks: from an array, a sparse matrix, an h5ad file or Dask, never all of them at once.

Everything that needs cells goes through :func:`map_chunks` or :func:`sum_chunks`: a function is
called with one chunk of cells after the other. Chunks of a file are read in a thread of their own
while the chunk before is worked on. Chunks of Dask arrays are worked on where Dask has them, a wave
of tasks at a time, so that neither a worker nor the caller holds more than some chunks; a task that
is lost with its worker is done again by Dask.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import iadd
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from .compressed import CompressedCells
from .errors import IntaeError, suggest

log = logging.getLogger(__name__)

CHUNK = 2048  # cells per block: some MB dense at 1,000 genes
TASK = 8192  # cells per task of Dask: what it costs to start one is then nothing beside it
WAVE = 32  # tasks of Dask at a time
FAN_IN = 8  # results that one task of Dask adds up
FEW = 16  # chunks for which a file that is stored by genes is read again and again
LOG_EVERY = 10.0  # seconds between two lines of progress
SPARSE_SHARE = 0.15  # of entries that are not zero, below which sparse products are faster


class _View:
    """X of a view of a backed AnnData, read some rows at a time; its own X reads all of them."""

    def __init__(self, adata: AnnData):
        whole, self.rows, self.columns = _behind(adata)
        self.X, self.shape = whole.X, adata.shape
        self.dtype, self.format = self.X.dtype, getattr(self.X, "format", "csr")
        self.all_columns = np.array_equal(self.columns, np.arange(whole.n_vars))

    def __getitem__(self, rows: slice):
        wanted = self.rows[rows]
        if len(wanted) and (np.diff(wanted) == 1).all():
            wanted = slice(int(wanted[0]), int(wanted[-1]) + 1)
        block = self.X[wanted]
        return block if self.all_columns else block[:, self.columns]


def _behind(adata: AnnData) -> tuple[AnnData, np.ndarray, np.ndarray]:
    """Return what a view is of, and the positions of its cells and genes there."""
    whole = adata._adata_ref
    return whole, np.arange(whole.n_obs)[adata._oidx], np.arange(whole.n_vars)[adata._vidx]


def of_genes(adata: AnnData, genes: np.ndarray) -> AnnData:
    """Return the data with some genes, by their positions: of a file a view, else a copy."""
    if not adata.isbacked:
        return adata[:, genes].copy()
    if not adata.is_view:
        return adata[:, genes]
    whole, rows, columns = _behind(adata)  # anndata makes no view of a backed view
    return whole[rows, columns[genes]]


def matrix_of(adata: AnnData, layer: str | None = None):
    """Return X, or a layer, without reading any cell of a file or of Dask.

    Raises
    ------
    IntaeError
        If there is no such layer.
    """
    if layer is None:
        return _View(adata) if adata.isbacked and adata.is_view else adata.X
    if layer not in adata.layers:
        msg = f"there is no layer {layer!r}{suggest(layer, adata.layers)}"
        raise IntaeError(msg)
    return adata.layers[layer]


def is_in_memory(X) -> bool:
    """Say whether all cells are in memory already."""
    return isinstance(X, np.ndarray) or sparse.issparse(X)


def is_dask(X) -> bool:
    """Say whether this is an array of Dask, without importing it."""
    return hasattr(X, "__dask_graph__")


def first_rows(X, n: int | None = None) -> np.ndarray | sparse.csr_matrix:
    """Return the first cells, those of a chunk unless said, as they are stored."""
    rows = decompressing(X)[: n or CHUNK]
    return _as_stored(rows.compute() if is_dask(rows) else rows)


def iter_chunks(X, size: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rows of X in dense float64 blocks.

    Parameters
    ----------
    X
        cells x genes: array, scipy sparse matrix, the X of a backed AnnData, or a Dask array.
    size
        Cells per block, 2,048 unless said; no more than one block is ever dense.

    Yields
    ------
    (index of the block's first cell, block of shape (<= size, n_genes))
    """
    for rows, block in map_chunks(dense, X, size=size):
        yield rows.start, block


def dense(block: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Return a chunk as a dense float64 array."""
    if sparse.issparse(block):
        return block.toarray().astype(np.float64, copy=False)
    return np.asarray(block, dtype=np.float64)


def map_chunks(
    function: Callable[..., Any],
    X,
    *beside: np.ndarray,
    given: Sequence[Any] = (),
    size: int | None = None,
    doing: str = "",
) -> Iterator[tuple[slice, Any]]:
    """Call a function with each chunk of cells and yield what it returns, in order.

    Parameters
    ----------
    function
        Called as function(chunk, *rows of each array beside, *given). The chunk is an array or a
        CSR matrix, as X is stored. For Dask it must be a function of a module.
    X
        cells x genes; see :func:`iter_chunks`.
    beside
        Arrays with a row per cell.
    given
        What every call gets.
    size
        Most cells per chunk, 2,048 unless said.
    doing
        What to call this in the log, which tells of the progress of long passes; none if empty.

    Yields
    ------
    (which cells, what the function returned)
    """
    progress, size = _Progress(doing, X.shape[0]), size or CHUNK
    if is_dask(X):
        for rows, results in _waves(function, X, beside, given, size, add=False):
            stop = rows.start
            for n_rows, result in results:
                start, stop = stop, stop + n_rows
                progress(stop)
                yield slice(start, stop), result
        return
    for rows, block in read_chunks(X, size):
        yield rows, function(block, *(part[rows] for part in beside), *given)
        progress(rows.stop)


def sum_chunks(
    function: Callable[..., tuple],
    X,
    *beside: np.ndarray,
    given: Sequence[Any] = (),
    size: int | None = None,
    doing: str = "",
) -> list:
    """Add up, entry by entry, the tuples that a function returns of the chunks.

    The parameters are those of :func:`map_chunks`. Dask adds up on its workers, so that little
    travels.
    """
    progress, size, total = _Progress(doing, X.shape[0]), size or CHUNK, None
    if is_dask(X):
        for rows, result in _waves(function, X, beside, given, size, add=True):
            total = _add(total, result)
            progress(rows.stop)
        return total
    for rows, block in read_chunks(X, size):
        total = _add(total, function(block, *(part[rows] for part in beside), *given))
        progress(rows.stop)
    return total


def project(
    X,
    A: np.ndarray,
    mean: np.ndarray,
    beside: np.ndarray | None = None,
    B: np.ndarray | None = None,
) -> np.ndarray:
    """Return (X - mean) A + beside B, in one pass over the cells: cells x terms, float64.

    Parameters
    ----------
    X
        cells x genes; see :func:`iter_chunks`.
    A
        genes x terms.
    mean
        Of each gene.
    beside, B
        cells x columns and columns x terms; None for nothing.
    """
    S = np.empty((X.shape[0], A.shape[1]))
    if beside is None or not beside.shape[1]:
        passed = map_chunks(_project, X, given=(A, mean @ A), doing="loadings")
    else:
        passed = map_chunks(_project_beside, X, beside, given=(A, mean @ A, B), doing="loadings")
    for rows, part in passed:
        S[rows] = part
    return S


def _project(block, A: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return product(block, A) - shift


def _project_beside(block, beside, A: np.ndarray, shift: np.ndarray, B: np.ndarray) -> np.ndarray:
    return product(block, A) - shift + beside @ B


def product(block: np.ndarray | sparse.csr_matrix, A: np.ndarray) -> np.ndarray:
    """Return a chunk of cells times a matrix, float64, by a sparse product where that is faster."""
    return (block if is_sparse_enough(block) else dense(block)) @ A


def is_sparse_enough(block: np.ndarray | sparse.csr_matrix) -> bool:
    """Say whether sparse products with this chunk are faster than dense ones."""
    return sparse.issparse(block) and block.nnz < SPARSE_SHARE * block.shape[0] * block.shape[1]


# --- files ---------------------------------------------------------------------------------------


def read_chunks(
    X, size: int | None = None
) -> Iterator[tuple[slice, np.ndarray | sparse.csr_matrix]]:
    """Yield chunks as they are stored; those of a file are read ahead."""
    starts = range(0, X.shape[0], size or CHUNK)
    if is_in_memory(X):
        X = X.tocsr() if sparse.issparse(X) and X.format != "csr" else X
    elif getattr(X, "format", "csr") != "csr" and len(starts) > FEW:
        msg = (
            f"X: is stored by genes in its file ({X.format}), from which cells cannot be read in "
            "chunks; read it whole once, and write it with adata.X = adata.X.tocsr()"
        )
        raise IntaeError(msg)
    rows = (slice(start, min(start + starts.step, starts.stop)) for start in starts)
    X = decompressing(X)
    blocks = ((cells, _as_stored(X[cells])) for cells in rows)
    return blocks if is_in_memory(X) or len(starts) < 2 else ahead(blocks)


def decompressing(X):
    """Return X such that several threads decompress it, if it is a file for which that helps."""
    if isinstance(X, _View):
        X.X = decompressing(X.X)
        return X
    return CompressedCells(X) if CompressedCells.suits(X) else X


def ahead(items: Iterator) -> Iterator:
    """Yield items, each made in a thread of its own while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        pending = reader.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = reader.submit(next, items, None)
            yield item


def _as_stored(block) -> np.ndarray | sparse.csr_matrix:
    if sparse.issparse(block):
        return block.tocsr()
    return np.asarray(block)


# --- Dask ----------------------------------------------------------------------------------------


def _waves(
    function: Callable[..., Any], X, beside: Sequence[np.ndarray], given: Sequence[Any], size: int,
    *, add: bool,
) -> Iterator[tuple[slice, Any]]:  # fmt: skip
    """Yield what the tasks of one wave return together, wave after wave."""
    import dask

    if np.isnan(X.shape).any():
        msg = "X: a Dask array without known chunks; call compute_chunk_sizes() on it first"
        raise IntaeError(msg)
    if len(X.chunks[1]) > 1:
        X = X.rechunk({1: -1})
    blocks, tasks, start = X.to_delayed().ravel(), [], 0
    task, plus = dask.delayed(_task, pure=False), dask.delayed(_add_all, pure=False)
    given = [dask.delayed(value) for value in given]
    group: list = []
    stop = 0
    for block, n_rows in zip(blocks, X.chunks[0], strict=True):
        group, stop = [*group, block], stop + n_rows
        if stop - start >= TASK or stop == X.shape[0]:
            rows = [part[start:stop] for part in beside]
            tasks.append((slice(start, stop), task(function, group, rows, given, size, add)))
            group, start = [], stop
    for first in range(0, len(tasks), WAVE):
        cells, wave = zip(*tasks[first : first + WAVE], strict=True)
        if add:
            groups = [wave[i : i + FAN_IN] for i in range(0, len(wave), FAN_IN)]
            wave = [plus([plus(list(group)) for group in groups])]
        done = dask.compute(*wave)
        results = done[0] if add else [result for task_ in done for result in task_]
        yield slice(cells[0].start, cells[-1].stop), results


def _task(
    function: Callable[..., Any], blocks: list, beside: list, given: list, size: int, add: bool
) -> Any:
    """Work on some blocks of cells, on a worker."""
    results, total, start = [], None, 0
    for block in map(_as_stored, blocks):
        for i in range(0, block.shape[0], size):
            chunk = block[i : i + size]
            stop = start + chunk.shape[0]
            result = function(chunk, *(part[start:stop] for part in beside), *given)
            if add:
                total = _add(total, result)
            else:
                results.append((stop - start, result))
            start = stop
    return total if add else results


def _add(total: list | None, more: Sequence[Any]) -> list:
    """Add tuples up, entry by entry; `total` is changed."""
    if total is None:
        return list(more)
    return [iadd(a, b) for a, b in zip(total, more, strict=True)]


def _add_all(totals: list) -> list:
    """Add up on a worker; Dask's own results stay as they are."""
    return [sum(entries[1:], start=entries[0]) for entries in zip(*totals, strict=True)]


# --- progress ------------------------------------------------------------------------------------


class _Progress:
    """Tell in the log, every ten seconds, how far a pass over the cells is."""

    def __init__(self, doing: str, n_cells: int):
        self.doing, self.n_cells = doing, n_cells
        self.start = self.told = time.perf_counter()

    def __call__(self, done: int) -> None:
        now = time.perf_counter()
        if self.doing and now - self.told > LOG_EVERY and done < self.n_cells:
            self.told = now
            left = (now - self.start) * (self.n_cells - done) / max(done, 1)
            log.info("%s: %d of %d cells, about %.0f s left", self.doing, done, self.n_cells, left)

"""Cells of a compressed CSR matrix in an HDF5 file, decompressed by several threads.

HDF5 decompresses one chunk at a time, on one thread, and holds a lock while it does: at 1,500 genes
in a cell that, and not the disk, is what reading waits for. Here HDF5 only hands out the compressed
chunks; ISA-L decompresses them, faster than zlib does, on as many threads as there are cores.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from .errors import IntaeError

if TYPE_CHECKING:
    import h5py
    from anndata.abc import CSRDataset

MOST_THREADS = 4
SHUFFLE, GZIP = 2, 1  # HDF5's numbers of filters, in the order in which h5py applies them


class CompressedCells:
    """A CSR matrix of a file, read some rows at a time; see :meth:`suits`.

    Parameters
    ----------
    X
        Backed X or layer of an AnnData, cells x genes.
    """

    format = "csr"

    def __init__(self, X: CSRDataset):
        self.X, self.shape, self.dtype = X, X.shape, X.dtype
        self.indptr = X.group["indptr"][:]
        self.data, self.indices = (_Dataset(X.group[name]) for name in ("data", "indices"))
        self.threads = ThreadPoolExecutor(min(MOST_THREADS, n_cores()))

    @staticmethod
    def suits(X) -> bool:
        """Say whether this is a CSR matrix of an HDF5 file with gzip, which this class reads."""
        if getattr(X, "format", None) != "csr" or getattr(X, "backend", None) != "hdf5":
            return False
        return all(_filters(X.group[name]) is not None for name in ("data", "indices"))

    def __getitem__(self, rows: slice | np.ndarray) -> sparse.csr_matrix:
        if not isinstance(rows, slice):  # scattered cells, which HDF5 may as well pick
            return self.X[rows]
        start, stop, _ = rows.indices(self.shape[0])
        indptr = self.indptr[start : stop + 1]
        first, last = int(indptr[0]), int(indptr[-1])
        # Both are on their way before either is waited for.
        parts = [part.read(first, last, self.threads) for part in (self.data, self.indices)]
        data, indices = (part() for part in parts)
        shape = (stop - start, self.shape[1])
        block = sparse.csr_matrix(shape, dtype=data.dtype)
        block.data, block.indices = data, indices  # as they are stored, without a check or a copy
        block.indptr = (indptr - first).astype(indices.dtype)
        return block


def n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _filters(dataset: h5py.Dataset) -> tuple[int, ...] | None:
    """Return the filters of a dataset of chunks with gzip; None for any other."""
    created = dataset.id.get_create_plist()
    filters = tuple(created.get_filter(i)[0] for i in range(created.get_nfilters()))
    whole = dataset.ndim == 1 and dataset.chunks and dataset.dtype.isnative
    return filters if whole and filters in ((GZIP,), (SHUFFLE, GZIP)) else None


class _Dataset:
    """One array of the file; it keeps the last chunk, with which the next cells begin."""

    def __init__(self, dataset: h5py.Dataset):
        self.dataset, (self.size,) = dataset, dataset.chunks
        self.shuffled = _filters(dataset)[0] == SHUFFLE
        self.kept: tuple[int, np.ndarray] = (-1, np.empty(0))

    def read(self, first: int, last: int, threads: ThreadPoolExecutor):
        """Begin to read some entries; return a function that waits for them and returns them."""
        numbers = range(first // self.size, -(-last // self.size))
        begun = [
            threads.submit(self._chunk, number) if number != self.kept[0] else None
            for number in numbers
        ]

        def entries() -> np.ndarray:
            found = np.empty(last - first, dtype=self.dataset.dtype)
            for number, pending in zip(numbers, begun, strict=True):
                chunk = self.kept[1] if pending is None else pending.result()
                start = number * self.size
                of_chunk = slice(max(first - start, 0), min(last - start, self.size))
                found[start + of_chunk.start - first : start + of_chunk.stop - first] = chunk[
                    of_chunk
                ]
                self.kept = number, chunk
            return found

        return entries

    def _chunk(self, number: int) -> np.ndarray:
        from isal import isal_zlib

        skipped, packed = self.dataset.id.read_direct_chunk((number * self.size,))
        dtype = self.dataset.dtype
        if skipped:  # filters that this chunk went without: rare, and HDF5's own to undo
            start = number * self.size
            return np.pad(
                found := self.dataset[start : start + self.size], (0, self.size - len(found))
            )
        try:
            values = isal_zlib.decompress(packed, bufsize=self.size * dtype.itemsize)
        except isal_zlib.error as error:
            msg = (
                f"{self.dataset.file.filename}: {self.dataset.name} cannot be decompressed; is the "
            )
            raise IntaeError(f"{msg}file cut off or changed? ({error})") from error
        if self.shuffled:
            return (
                np.frombuffer(values, np.uint8)
                .reshape(dtype.itemsize, -1)
                .T.copy()
                .view(dtype)[:, 0]
            )
        return np.frombuffer(values, dtype)

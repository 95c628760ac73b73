"""Files: h5ad, and whatever appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import IntaeError

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from anndata import AnnData
    from scipy.sparse import csr_matrix

LARGE = 1e9  # bytes of X, from which on cells are read in chunks unless the user says otherwise
ENTRIES = 131_072  # of a sparse matrix, per chunk of a file: half a megabyte of values


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, moved there only when the block has ended well.

    What a killed process left of the same file is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_parts(path)
    around = _around(path)
    handle, part = tempfile.mkstemp(around["suffix"], around["prefix"], path.parent)
    os.close(handle)
    try:
        yield Path(part)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)  # mkstemp makes it private
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and what a killed process left of it."""
    path.unlink(missing_ok=True)
    _remove_parts(path)


def _around(path: Path) -> dict[str, str]:
    """Return how the name of a temporary file of `path` begins and ends."""
    return {"prefix": f".{path.name}.", "suffix": f".part{path.suffix}"}


def _remove_parts(path: Path) -> None:
    name = "????????".join(map(escape, _around(path).values()))
    for left in path.parent.glob(name):
        left.unlink(missing_ok=True)


@contextmanager
def reading(path: str | Path, kind: str) -> Iterator[None]:
    """Tell of a broken file in one sentence: each library has errors of its own for one.

    Parameters
    ----------
    path
        The file that the block reads.
    kind
        What it should be, such as `csv`, for the message.

    Raises
    ------
    IntaeError
        For any error of the block but those that say already what is wrong.
    """
    try:
        yield
    except (IntaeError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if str(path) in reason:
            raise IntaeError(reason) from error
        msg = f"{path}: cannot be read as {kind}; is it cut off or something else? ({reason})"
        raise IntaeError(msg) from error


def write_h5ad(adata: AnnData, path: str | Path) -> None:
    """Write an AnnData, whole or not at all."""
    with whole_file(path) as part:
        adata.write_h5ad(part, compression="gzip")


def write_h5ad_in_chunks(
    adata: AnnData,
    chunks: Iterable[np.ndarray | csr_matrix],
    path: str | Path,
    *,
    compression: str | None = None,
) -> None:
    """Write an AnnData whose X comes in chunks of cells, whole or not at all.

    Parameters
    ----------
    adata
        Without X.
    chunks
        Its rows in order, all dense or all CSR, float32; at least one chunk.
    path
        An existing file is replaced.
    compression
        Of X, one of HDF5's; none is read as fast as the disk gives it.
    """
    import h5py
    import numpy as np

    with whole_file(path) as part:
        adata.write_h5ad(part)
        with h5py.File(part, "r+") as file:
            file.pop("X", None)
            chunks = iter(chunks)
            first = next(chunks)
            if isinstance(first, np.ndarray):
                _write_dense(file, chain([first], chunks), adata.shape, compression)
            else:
                _write_sparse(file, chain([first], chunks), adata.shape, compression)


def _write_dense(
    file: h5py.File, chunks: Iterable[np.ndarray], shape: tuple[int, int], compression: str | None
) -> None:
    X = file.create_dataset(
        "X", shape, "float32", chunks=(min(shape[0], 64), shape[1]), compression=compression
    )
    X.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    start = 0
    for block in chunks:
        X[start : start + len(block)] = block
        start += len(block)


def _write_sparse(
    file: h5py.File, chunks: Iterable[csr_matrix], shape: tuple[int, int], compression: str | None
) -> None:
    group = file.create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    group.attrs["shape"] = shape
    entries = {"shape": (0,), "maxshape": (None,), "chunks": (ENTRIES,), "compression": compression}
    data = group.create_dataset("data", dtype="float32", **entries)
    indices = group.create_dataset("indices", dtype="int32", **entries)
    indptr = group.create_dataset("indptr", (shape[0] + 1,), "int64")
    row = stop = 0
    for block in chunks:
        start, stop = stop, stop + block.nnz
        for dataset, values in ((data, block.data), (indices, block.indices)):
            dataset.resize((stop,))
            dataset[start:] = values
        indptr[row + 1 : row + 1 + block.shape[0]] = start + block.indptr[1:].astype("int64")
        row += block.shape[0]


def read_h5ad(path: str | Path, **kwargs: Any) -> AnnData:
    """Read an AnnData, with a plain sentence where the file is broken or is something else.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IntaeError
        If the file cannot be read as h5ad.
    """
    if not Path(path).exists():
        msg = f"{path}: there is no such file"
        raise FileNotFoundError(msg)
    import anndata  # not at the top: who only writes a table need not wait for it

    with reading(path, "an h5ad file"):
        return anndata.read_h5ad(path, **kwargs)


def is_large(path: str | Path) -> bool:
    """Say whether X of an h5ad is better read in chunks: in memory it would take over a gigabyte.

    Not if it is stored by genes (CSC), nor if the file is broken or something else: who reads it
    says so.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            X = file["X"]
            parts = [X] if isinstance(X, h5py.Dataset) else [X["data"], X["indices"]]
            by_genes = X.attrs.get("encoding-type") == "csc_matrix"
            return not by_genes and LARGE < sum(part.size * part.dtype.itemsize for part in parts)
    except (OSError, KeyError):
        return False

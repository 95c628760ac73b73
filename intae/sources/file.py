"""Read a file of the user's, in any of the common formats, as cells x genes.

Which matrix of the data to use, on which scale it is, and whether it is expression at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from ..io import read_h5ad
from ..prepared import is_integer

log = logging.getLogger(__name__)

FORMATS = ("h5ad", "10x_h5", "10x_mtx", "loom", "csv", "tsv", "mtx")
ROWS = 500  # lines of a text table read at a time


def read_expression(path: Path, kind: str | None = None, genes_in: str = "columns") -> AnnData:
    """Read a file or folder.

    Parameters
    ----------
    path
        h5ad, 10x HDF5 (`.h5`), a 10x folder (v2 or v3), loom, a table (`.csv`, `.tsv`, `.txt`,
        gzipped or not, one column of names and one line of names), or Matrix Market (`.mtx`) with
        its names beside it (barcodes.tsv, and genes.tsv or features.tsv).
    kind
        One of `FORMATS`; None decides by the name.
    genes_in
        `columns` or `rows`: how a table lies.

    Returns
    -------
    Data, cells x genes; X sparse where the file is.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong with it.
    """
    if not path.exists():
        msg = f"{path}: there is no such file"
        raise FileNotFoundError(msg)
    kind = kind or guess_format(path)
    if not path.is_dir():
        _refuse_web_page(path)
    readers: dict[str, Callable[[], AnnData]] = {
        "h5ad": lambda: read_h5ad(path),
        "10x_h5": lambda: sc.read_10x_h5(path, gex_only=True),
        "10x_mtx": lambda: sc.read_10x_mtx(path, gex_only=True, make_unique=False),
        "loom": lambda: _read_loom(path),
        "csv": lambda: _read_table(path, ",", genes_in),
        "tsv": lambda: _read_table(path, "\t", genes_in),
        "mtx": lambda: _read_mtx(path),
    }
    try:
        adata = readers[kind]()
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # each library has errors of its own for a broken file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if str(path) in reason:
            raise ValueError(reason) from error
        msg = f"{path}: cannot be read as {kind}; is it cut off or something else? ({reason})"
        raise ValueError(msg) from error
    if kind.startswith("10x"):
        adata.var_names_make_unique()  # symbols of 10x references are not
    return adata


def guess_format(path: Path) -> str:
    """Return the format by the file's name.

    Raises
    ------
    ValueError
        If the name tells nothing.
    """
    if path.is_dir():
        return "10x_mtx"
    name = path.name.lower().removesuffix(".gz")
    endings = {".h5ad": "h5ad", ".h5": "10x_h5", ".hdf5": "10x_h5", ".loom": "loom", ".csv": "csv",
               ".tsv": "tsv", ".txt": "tsv", ".tab": "tsv", ".mtx": "mtx"}  # fmt: skip
    for ending, kind in endings.items():
        if name.endswith(ending):
            return kind
    msg = f"{path}: the format cannot be told by the name; say format: {' or '.join(FORMATS)}"
    raise ValueError(msg)


def _refuse_web_page(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(256).lstrip().lower()
    if not start:
        msg = f"{path}: is empty"
        raise ValueError(msg)
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        msg = f"{path}: is a web page, not data; the download went wrong, fetch it again"
        raise ValueError(msg)


def _read_table(path: Path, separator: str, genes_in: str) -> AnnData:
    """Read a text table some lines at a time into a sparse matrix."""
    blocks, rows, columns = [], [], None
    for part in pd.read_csv(path, sep=separator, index_col=0, chunksize=ROWS):
        wrong = [name for name, kind in part.dtypes.items() if kind.kind not in "iufb"]
        if wrong:
            msg = f"{path}: column {wrong[0]!r} holds text, not numbers"
            raise ValueError(msg)
        columns = part.columns
        rows += part.index.astype(str).tolist()
        blocks.append(sparse.csr_matrix(part.to_numpy(np.float32)))
    if columns is None or not len(columns):
        msg = f"{path}: holds no numbers; is the separator {separator!r}?"
        raise ValueError(msg)
    X = sparse.vstack(blocks, format="csr")
    names = pd.Index(rows), pd.Index(columns.astype(str))
    if genes_in == "rows":
        X, names = sparse.csr_matrix(X.T), names[::-1]
    return AnnData(X, obs=pd.DataFrame(index=names[0]), var=pd.DataFrame(index=names[1]))


def _read_mtx(path: Path) -> AnnData:
    """Read a Matrix Market file, genes x cells or cells x genes, whichever its names say."""
    cells = _names_beside(path, ("barcodes.tsv", "cells.tsv", "barcodes.txt"))
    genes = _names_beside(path, ("genes.tsv", "features.tsv", "genes.txt"))
    X = sparse.csr_matrix(scipy_io.mmread(path), dtype=np.float32)
    cell_names = cells[0].to_numpy(str)
    gene_names = genes[min(1, genes.shape[1] - 1)].to_numpy(str)
    if X.shape == (len(gene_names), len(cell_names)):
        X = sparse.csr_matrix(X.T)
    elif X.shape != (len(cell_names), len(gene_names)):
        msg = (
            f"{path}: is {X.shape[0]} x {X.shape[1]}, but there are {len(gene_names)} gene names "
            f"and {len(cell_names)} cell names beside it"
        )
        raise ValueError(msg)
    var = pd.DataFrame({"gene_id": genes[0].to_numpy(str)}, index=gene_names)
    return AnnData(X, obs=pd.DataFrame(index=cell_names), var=var)


def _names_beside(path: Path, endings: tuple[str, ...]) -> pd.DataFrame:
    prefix = path.name.removesuffix(".gz").removesuffix(".mtx").removesuffix("matrix")
    for ending in endings:
        for name in (f"{prefix}{ending}", ending, f"{prefix}.{ending}", f"{prefix}_{ending}"):
            for candidate in (path.with_name(name), path.with_name(f"{name}.gz")):
                if candidate.exists():
                    return pd.read_csv(candidate, sep="\t", header=None)
    msg = f"{path}: there is no {' or '.join(endings)} beside it to name its cells and genes"
    raise ValueError(msg)


def _read_loom(path: Path) -> AnnData:
    """Read a loom file (genes x cells in /matrix; names in row_attrs and col_attrs)."""
    with h5py.File(path, "r") as file:
        X = sparse.csr_matrix(file["matrix"][()].T.astype(np.float32))
        frames = []
        for group, names in (
            ("col_attrs", ("CellID", "obs_names")),
            ("row_attrs", ("Gene", "var_names")),
        ):
            columns = {key: value[()] for key, value in file[group].items() if value.ndim == 1}
            columns = {
                key: np.char.decode(value, "utf8")
                if value.dtype.kind == "S"
                else value.astype(str)
                if value.dtype.kind == "O" and not isinstance(value[0], bytes)
                else np.array([v.decode() for v in value])
                if value.dtype.kind == "O"
                else value
                for key, value in columns.items()
            }
            index = next((name for name in names if name in columns), None)
            if index is None:
                msg = f"{path}: {group} holds no {' or '.join(names)}"
                raise ValueError(msg)
            frames.append(pd.DataFrame(columns).set_index(index).rename_axis(None))
    return AnnData(X, obs=frames[0], var=frames[1])


SCALES = ("counts", "normalized", "log")
LARGEST_LOG = 30.0  # exp(30) counts of a gene in a cell: no logarithm of counts is larger


def choose_matrix(name: str, adata: AnnData, matrix: str | None) -> AnnData:
    """Put the wanted matrix into X.

    Parameters
    ----------
    name
        The data set, for messages.
    adata
        Data as read.
    matrix
        `X`, `raw`, or the name of a layer. None takes X, unless X holds no integers and the layer
        `counts`, or `raw`, does; what was taken is logged.

    Raises
    ------
    ValueError
        If there is no such layer or no raw.
    """
    if matrix is None:
        matrix = "X"
        if not is_integer(adata.X):
            if "counts" in adata.layers:
                matrix = "counts"
            elif adata.raw is not None and is_integer(adata.raw.X):
                matrix = "raw"
            if matrix != "X":
                log.warning("%s: X holds no integers, so the counts of %s are used", name, matrix)
    if matrix == "X":
        return adata
    if matrix == "raw":
        if adata.raw is None:
            msg = f"data set {name!r}, matrix: there is no .raw in the file"
            raise ValueError(msg)
        raw = adata.raw.to_adata()
        return AnnData(raw.X, obs=adata.obs, var=raw.var)
    if matrix not in adata.layers:
        layers = ", ".join(adata.layers) or "none"
        msg = f"data set {name!r}, matrix: there is no layer {matrix!r}; there are: {layers}"
        raise ValueError(msg)
    return AnnData(adata.layers[matrix], obs=adata.obs, var=adata.var)


def check_expression(name: str, adata: AnnData) -> None:
    """Refuse a matrix that is no expression: empty, not finite, or doubly named.

    Raises
    ------
    ValueError
        Naming the data set, the slot and a cell or gene at fault.
    """
    if adata.X is None or 0 in adata.shape:
        msg = f"data set {name!r}: X is empty ({adata.n_obs} cells x {adata.n_vars} genes)"
        raise ValueError(msg)
    if min(adata.shape) < 2:
        msg = (
            f"data set {name!r}: has {adata.n_obs} cells x {adata.n_vars} genes; at least two of "
            "each are needed"
        )
        raise ValueError(msg)
    for slot, names in (("cell", adata.obs_names), ("gene", adata.var_names)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            msg = f"data set {name!r}: the {slot} name {twice!r} stands there more than once"
            raise ValueError(msg)
    values = adata.X.data if sparse.issparse(adata.X) else np.asarray(adata.X)
    if values.dtype.kind not in "iufb":
        msg = f"data set {name!r}: X holds values of type {values.dtype}, not numbers"
        raise ValueError(msg)
    if not np.isfinite(values).all():
        msg = f"data set {name!r}: X holds values that are NaN or infinite"
        raise ValueError(msg)


def find_scale(name: str, adata: AnnData, scale: str | None) -> str:
    """Return the scale of X, said by the config or found, and refuse what contradicts it.

    Parameters
    ----------
    scale
        `counts` (normalised and logged when prepared), `normalized` (logged only), `log` (taken as
        it is), or None to find out: integers are counts; other values that are small enough are
        logarithms; what is found is logged.

    Raises
    ------
    ValueError
        For counts that are negative or no integers, and where the scale cannot be told.
    """
    values = adata.X.data if sparse.issparse(adata.X) else np.asarray(adata.X)
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    integer = bool((values == np.round(values)).all())
    if scale is None:
        if integer and low >= 0:
            return "counts"
        if not integer and high <= LARGEST_LOG:
            log.warning("%s: X holds no integers (%.3g to %.3g): taken as log-normalised", name,
                        low, high)  # fmt: skip
            return "log"
        msg = (
            f"data set {name!r}: X ({low:g} to {high:g}) holds "
            f"{'negative values' if low < 0 else 'values that are no integers'}, so it is no "
            "counts, and it does not look log-normalised; say scale: counts, normalized or log"
        )
        raise ValueError(msg)
    if scale != "log" and low < 0:
        msg = f"data set {name!r}: X holds negative values ({low:g}), so scale: {scale} is wrong"
        raise ValueError(msg)
    if scale == "counts" and not integer:
        msg = (
            f"data set {name!r}: X holds values that are no integers, but scale: counts says "
            "counts; say scale: normalized or log, or matrix: with the layer that holds the counts"
        )
        raise ValueError(msg)
    return scale

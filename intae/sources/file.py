"""The user's own file: any of the common formats, the matrix to use, the names of its genes."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from ..errors import IntaeError
from ..gene_sets import distinct_genes
from ..io import read_h5ad, reading
from ..prepared import is_integer
from .text_table import ENCODING, join_metadata, read_counts, refuse_office

log = logging.getLogger(__name__)

# ending of a file's name, without .gz -> format
ENDINGS = {
    ".h5ad": "h5ad",
    ".h5": "10x_h5",
    ".hdf5": "10x_h5",
    ".loom": "loom",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".tab": "tsv",
    ".mtx": "mtx",
}
CELL_NAMES = ("barcodes.tsv", "cells.tsv", "barcodes.txt")
GENE_NAMES = ("genes.tsv", "features.tsv", "genes.txt")
CELL_RANGER = (
    {"matrix.mtx", "barcodes.tsv", "genes.tsv"},
    {"matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"},
)
FORMATS = ("h5ad", "10x_h5", "10x_mtx", "loom", "csv", "tsv", "mtx")


def load(
    path: Path,
    metadata: Path | None = None,
    *,
    format: str | None = None,
    genes_in: str = "columns",
    matrix: str | None = None,
    gene_column: str | None = None,
    cell_column: str | None = None,
    beside: Collection[str] = (),
) -> AnnData:
    """Read a file or folder, and join a table of metadata.

    Parameters
    ----------
    path
        h5ad, 10x HDF5 (`.h5`), a 10x folder (v2 or v3), loom, a table (`.csv`, `.tsv`, `.txt`,
        gzipped or not, one column of names and one line of names), or Matrix Market (`.mtx`) with
        its names beside it (barcodes.tsv, and genes.tsv or features.tsv).
    metadata
        A table with one row per cell, joined to obs on the cell's name.
    format
        One of `FORMATS`; None decides by the name.
    genes_in
        `columns` or `rows`: how a table lies.
    matrix
        `X`, `raw`, or the name of a layer. None takes X, unless X holds no integers and the layer
        `counts`, or `raw`, does; what was taken is logged.
    gene_column
        Column of var that names the genes, such as the symbols beside Ensembl ids; genes without
        a name are dropped. None keeps the names of var.
    cell_column
        Column of the metadata with the cells' names; None takes the first.
    beside
        Columns of a table of counts that are no expression, such as labels of its cells.

    Returns
    -------
    Data, cells x genes; X sparse where the file is.

    Raises
    ------
    FileNotFoundError, IntaeError
        Naming the file and what is wrong with it.
    """
    adata = read_expression(path, format, genes_in, {*beside, gene_column} - {None})
    adata = _choose_matrix(adata, path, matrix)
    if gene_column is not None:
        adata = _name_genes(adata, path, gene_column)
    adata.var_names = distinct_genes(adata.var_names, str(path))  # symbols of 10x are not
    if metadata is not None:
        adata.obs = join_metadata(adata.obs, path, metadata, cell_column, adata.var_names)
    return adata


def read_expression(
    path: Path, kind: str | None = None, genes_in: str = "columns", beside: Collection[str] = ()
) -> AnnData:
    """Read a file or folder in one of the formats; the parameters are those of `load`."""
    if not path.exists():
        msg = f"{path}: there is no such file"
        raise FileNotFoundError(msg)
    kind = kind or guess_format(path)
    if not path.is_dir():
        _refuse_web_page(path)
    with reading(path, kind):
        adata = _read(path, kind, genes_in, beside)
    if 0 in adata.shape:
        msg = f"{path}: holds {adata.n_obs} cells x {adata.n_vars} genes; was it filtered to none?"
        raise IntaeError(msg)
    return adata


def guess_format(path: Path) -> str:
    """Return the format by the file's name.

    Raises
    ------
    IntaeError
        If the name tells nothing, or of a program whose files are not read.
    """
    if path.is_dir():
        return "10x_mtx"
    refuse_office(path)
    name = path.name.lower().removesuffix(".gz")
    for ending, kind in ENDINGS.items():
        if name.endswith(ending):
            return kind
    msg = f"{path}: the format cannot be told by the name; say format: {' or '.join(FORMATS)}"
    raise IntaeError(msg)


def _refuse_web_page(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(256).lstrip().lower()
    if not start:
        msg = f"{path}: is empty"
        raise IntaeError(msg)
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        msg = f"{path}: is a web page, not data; the download went wrong, fetch it again"
        raise IntaeError(msg)


def _read(path: Path, kind: str, genes_in: str, beside: Collection[str]) -> AnnData:
    match kind:
        case "h5ad":
            return read_h5ad(path)
        case "10x_h5":
            import scanpy as sc  # here, since it takes seconds and the other formats do without

            return sc.read_10x_h5(path, gex_only=True)
        case "10x_mtx":
            return _read_10x_folder(path)
        case "loom":
            return _read_loom(path)
        case "csv" | "tsv":
            return read_counts(path, genes_in, beside)
        case "mtx":
            return _read_mtx(path)
    msg = f"{path}: unknown format {kind!r}; say format: {' or '.join(FORMATS)}"
    raise IntaeError(msg)


def _read_10x_folder(path: Path) -> AnnData:
    """Read a folder as Cell Ranger writes it, or one whose names have something before them."""
    matrices = sorted(p for p in path.iterdir() if p.name.removesuffix(".gz").endswith(".mtx"))
    if not matrices:
        held = ", ".join(sorted(p.name for p in path.iterdir())[:8]) or "nothing"
        msg = f"{path}: holds no matrix.mtx or matrix.mtx.gz, but {held}"
        raise IntaeError(msg)
    if len(matrices) > 1:
        msg = f"{path}: holds {len(matrices)} matrices; name one of them, such as {matrices[0]}"
        raise IntaeError(msg)
    held = {p.name for p in path.iterdir()}
    if not any(names <= held for names in CELL_RANGER):  # of GEO, of STARsolo, or incomplete
        return _read_mtx(matrices[0])
    import scanpy as sc  # here, since it takes seconds and the other formats do without

    return sc.read_10x_mtx(path, gex_only=True, make_unique=False)


def _read_mtx(path: Path) -> AnnData:
    """Read a Matrix Market file, genes x cells or cells x genes, whichever its names say.

    Of several kinds of features, such as antibodies beside genes, only genes are kept.
    """
    cells, genes = _names_beside(path, CELL_NAMES), _names_beside(path, GENE_NAMES)
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
        raise IntaeError(msg)
    var = pd.DataFrame({"gene_id": genes[0].to_numpy(str)}, index=gene_names)
    adata = AnnData(X, obs=pd.DataFrame(index=cell_names), var=var)
    kinds = genes.get(2, pd.Series(dtype=str)).astype(str)
    if (is_gene := kinds.eq("Gene Expression").to_numpy()).any() and not is_gene.all():
        left_out = ", ".join(f"{n} {kind}" for kind, n in kinds[~is_gene].value_counts().items())
        log.warning("%s: only genes are read; left out: %s", path, left_out)
        adata = adata[:, is_gene].copy()
    return adata


def _names_beside(path: Path, endings: tuple[str, ...]) -> pd.DataFrame:
    prefix = path.name.removesuffix(".gz").removesuffix(".mtx").removesuffix("matrix")
    for ending in endings:
        for name in (f"{prefix}{ending}", ending, f"{prefix}.{ending}", f"{prefix}_{ending}"):
            for candidate in (path.with_name(name), path.with_name(f"{name}.gz")):
                if candidate.exists():
                    return pd.read_csv(candidate, sep="\t", header=None, encoding=ENCODING)
    msg = f"{path}: there is no {' or '.join(endings)} beside it to name its cells and genes"
    raise IntaeError(msg)


def _read_loom(path: Path) -> AnnData:
    """Read a loom file (genes x cells in /matrix; names in row_attrs and col_attrs)."""
    with h5py.File(path, "r") as file:
        X = sparse.csr_matrix(file["matrix"][()].T.astype(np.float32))
        obs = _read_attributes(path, file["col_attrs"], ("CellID", "obs_names"))
        var = _read_attributes(path, file["row_attrs"], ("Gene", "var_names"))
    return AnnData(X, obs=obs, var=var)


def _read_attributes(path: Path, group: h5py.Group, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the one-dimensional data of a group as a table, by the first of `names` in it."""
    columns = {}
    for key, value in group.items():
        if value.ndim == 1:
            is_text = h5py.check_string_dtype(value.dtype) is not None
            columns[key] = value.asstr("utf-8")[()] if is_text else value[()]
    index = next((name for name in names if name in columns), None)
    if index is None:
        msg = f"{path}: {group.name.strip('/')} holds no {' or '.join(names)}"
        raise IntaeError(msg)
    return pd.DataFrame(columns).set_index(index).rename_axis(None)


def _choose_matrix(adata: AnnData, path: Path, matrix: str | None) -> AnnData:
    """Put the wanted matrix into X."""
    if matrix is None:
        matrix = "X"
        if not is_integer(adata.X):
            if "counts" in adata.layers:
                matrix = "counts"
            elif adata.raw is not None and is_integer(adata.raw.X):
                matrix = "raw"
            if matrix != "X":
                log.warning("%s: X holds no integers, so the counts of %s are used", path, matrix)
    if matrix == "X":
        return adata
    if matrix == "raw":
        if adata.raw is None:
            msg = f"{path}, matrix: there is no .raw in the file"
            raise IntaeError(msg)
        raw = adata.raw.to_adata()
        return AnnData(raw.X, obs=adata.obs, var=raw.var, obsm=dict(adata.obsm))
    if matrix not in adata.layers:
        layers = ", ".join(adata.layers) or "none"
        msg = f"{path}, matrix: there is no layer {matrix!r}; there are: {layers}"
        raise IntaeError(msg)
    return AnnData(adata.layers[matrix], obs=adata.obs, var=adata.var, obsm=dict(adata.obsm))


def _name_genes(adata: AnnData, path: Path, column: str) -> AnnData:
    """Name genes by a column of var, and drop those without a name."""
    kept, names = named_genes(adata.var, path, column)
    adata = adata[:, kept].copy()
    adata.var_names = names
    return adata


def named_genes(var: pd.DataFrame, path: Path, column: str) -> tuple[np.ndarray, pd.Index]:
    """Return the positions of the genes that a column of var names, and their names there.

    Raises
    ------
    IntaeError
        If there is no such column; `path` says where.
    """
    if column not in var:
        known = ", ".join(map(str, var.columns)) or "none"
        msg = f"{path}, gene_column: there is no column {column!r} in var; it has {known}"
        raise IntaeError(msg)
    kept = np.flatnonzero(var[column].notna())
    return kept, pd.Index(var[column].iloc[kept].astype(str).to_numpy())

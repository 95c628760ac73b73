"""One data set as the config declares it: loaded, filtered, labelled, subset."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ..io import read_h5ad
from ..prepared import get_annotations, get_terms
from ..simulation import simulate
from .buettner15 import load_buettner15
from .covid_balf import load_covid_balf
from .file import check_expression, choose_matrix, find_scale, read_expression
from .kang17 import load_kang17
from .macosko15 import load_macosko15

log = logging.getLogger(__name__)

ROLES = ("condition", "cell_type", "batch", "donor")


def load_dataset(name: str, entry: Mapping[str, Any], files: Sequence[str | Path]) -> AnnData:
    """Load a data set by its config entry.

    Parameters
    ----------
    name
        Its name in the config, for messages.
    entry
        Its entry; see the schema of the config.
    files
        Paths of its files, in the order of the registry; or the user's own file and, where the
        entry names one, its metadata table; or, for simulated data, the prepared data whose gene
        sets they take, if any.

    Returns
    -------
    Data, cells x genes, X as the source has it; obs holds the labels under the names condition,
    cell_type, batch and donor, as far as the entry declares them, as categories;
    `uns["scale"]` is counts, normalized or log.

    Raises
    ------
    ValueError
        If a column or a value that the entry names is not there, or no cell is left.
    """
    files = [Path(file) for file in files]
    params = entry.get("params") or {}
    match entry["source"]:
        case "kang17":
            adata = load_kang17(*files, **params)
        case "macosko15":
            adata = load_macosko15(*files, **params)
        case "covid_balf":
            adata = load_covid_balf(files[:-1], files[-1], **params)
        case "simulated":
            annotations = _annotations(files[0]) if files else None
            adata = simulate(**params, annotations=annotations)
            adata.uns["scale"] = "log"
            return adata
        case "buettner15":
            adata = load_buettner15(*files, **params)
        case "file":
            adata = read_expression(files[0], entry.get("format"), entry.get("genes_in", "columns"))
            adata = choose_matrix(name, adata, entry.get("matrix"))
            adata = _name_genes(name, adata, entry.get("gene_column"))
            if entry.get("metadata"):
                adata.obs = _join(name, adata.obs, files[1], entry["metadata"].get("cell_column"))
        case other:
            msg = f"data set {name!r}: unknown source {other!r}"
            raise ValueError(msg)
    adata = _filter(name, adata, entry.get("filter") or {})
    labels = entry.get("labels") or {}
    if entry.get("drop_unlabelled"):
        adata = _drop_unlabelled(name, adata, labels)
    adata = _subset(name, adata, entry.get("subset") or {})
    adata.obs = _labels(name, adata.obs, labels)
    check_expression(name, adata)
    loaded = AnnData(adata.X, obs=adata.obs, var=pd.DataFrame(index=adata.var_names))
    loaded.uns["scale"] = find_scale(name, adata, entry.get("scale"))
    return loaded


def _annotations(path: Path) -> pd.DataFrame:
    """Return the gene sets of prepared data, genes x terms."""
    prepared = read_h5ad(path, backed="r")
    try:
        return pd.DataFrame(get_annotations(prepared), prepared.var_names, get_terms(prepared))
    finally:
        prepared.file.close()


def _name_genes(name: str, adata: AnnData, column: str | None) -> AnnData:
    """Name genes by a column of var, such as the symbols beside Ensembl ids."""
    if column is None:
        return adata
    if column not in adata.var:
        msg = (
            f"data set {name!r}, gene_column: there is no column {column!r} in var; it has "
            f"{', '.join(map(str, adata.var.columns)) or 'none'}"
        )
        raise ValueError(msg)
    adata = adata[:, adata.var[column].notna()].copy()
    adata.var_names = adata.var[column].astype(str).to_numpy()
    adata.var_names_make_unique()
    return adata


def _join(name: str, obs: pd.DataFrame, path: Path, cell_column: str | None) -> pd.DataFrame:
    """Join a table of metadata on the cell's name."""
    separator = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    table = pd.read_csv(path, sep=separator, index_col=None if cell_column else 0)
    if cell_column:
        table = table.set_index(_column(name, table, cell_column, "metadata").astype(str))
    table.index = table.index.astype(str)
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        msg = f"data set {name!r}, metadata: {path} holds the cell {twice!r} more than once"
        raise ValueError(msg)
    found = obs.index.isin(table.index)
    if not found.any():
        msg = (
            f"data set {name!r}, metadata: no cell of the data (such as {obs.index[0]!r}) is in "
            f"{path} (such as {table.index[0]!r}); do the names end alike?"
        )
        raise ValueError(msg)
    log.info("%s: %d of %d cells are in %s", name, found.sum(), len(obs), path.name)
    table = table.reindex(obs.index)
    return pd.concat([obs.drop(columns=table.columns, errors="ignore"), table], axis=1)


def _filter(name: str, adata: AnnData, wanted: Mapping[str, Any]) -> AnnData:
    """Keep the cells whose columns of obs have one of the wanted values."""
    for column, values in wanted.items():
        values = [str(v) for v in (values if isinstance(values, list) else [values])]
        have = _column(name, adata.obs, column, "filter").astype(str)
        keep = have.isin(values).to_numpy()
        if not keep.any():
            msg = (
                f"data set {name!r}: filter {column}: {values} leaves no cell; the column "
                f"holds {', '.join(sorted(have.unique())[:8])}"
            )
            raise ValueError(msg)
        log.info("%s: %d of %d cells have %s in %s", name, keep.sum(), len(keep), column, values)
        adata = adata[keep].copy()
    return adata


def _drop_unlabelled(name: str, adata: AnnData, labels: Mapping[str, str]) -> AnnData:
    """Keep the cells that have all labels."""
    missing = np.zeros(adata.n_obs, dtype=bool)
    for role, column in labels.items():
        missing |= _column(name, adata.obs, column, f"labels: {role}").isna().to_numpy()
    if missing.any():
        log.info("%s: %d of %d cells lack a label", name, missing.sum(), len(missing))
        adata = adata[~missing].copy()
    return adata


def _subset(name: str, adata: AnnData, subset: Mapping[str, int]) -> AnnData:
    """Draw some cells by a seed; all, if there are no more."""
    n_cells = subset.get("n_cells")
    if n_cells is None or n_cells >= adata.n_obs:
        return adata
    rng = np.random.default_rng(subset.get("seed", 0))
    keep = np.sort(rng.choice(adata.n_obs, n_cells, replace=False))
    log.info("%s: %d of %d cells drawn", name, n_cells, adata.n_obs)
    return adata[keep].copy()


def _labels(name: str, obs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Put each declared label under the name of its role, and keep nothing else."""
    columns = {}
    for role, column in labels.items():
        values = _column(name, obs, column, f"labels: {role}").astype(str)
        missing = int(_column(name, obs, column, role).isna().sum())
        if missing:
            msg = (
                f"data set {name!r}: label column {column!r} has {missing} missing values; "
                "say drop_unlabelled: true to leave those cells out"
            )
            raise ValueError(msg)
        if role == "condition" and values.nunique() < 2:
            msg = (
                f"data set {name!r}, labels: condition: column {column!r} has one value only "
                f"({values.iloc[0]!r}), so there is nothing to separate; leave the label out"
            )
            raise ValueError(msg)
        columns[role] = values.astype("category")
    return pd.DataFrame(columns, index=obs.index)


def _column(name: str, obs: pd.DataFrame, column: str, where: str) -> pd.Series:
    if column not in obs:
        msg = (
            f"data set {name!r}, {where}: there is no column {column!r} in obs; "
            f"it has {', '.join(map(str, obs.columns)) or 'none'}"
        )
        raise ValueError(msg)
    return obs[column]

"""One data set as the config declares it: loaded, filtered, labelled, subset."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..files import read_h5ad
from ..simulation import simulate
from .covid_balf import load_covid_balf
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
        Its entry: source, params, filter, labels, subset; see the schema of the config.
    files
        Paths of its files, in the order of the registry, or the user's own file.

    Returns
    -------
    Data, cells x genes, X as the source has it; obs holds the labels under the names condition,
    cell_type, batch and donor, as far as the entry declares them, as categories.

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
            return simulate(**params)
        case "file":
            adata = read_h5ad(files[0])
        case other:
            msg = f"data set {name!r}: unknown source {other!r}"
            raise ValueError(msg)
    adata = _filter(name, adata, entry.get("filter") or {})
    labels = entry.get("labels") or {}
    if entry.get("drop_unlabelled"):
        adata = _drop_unlabelled(name, adata, labels)
    adata = _subset(name, adata, entry.get("subset") or {})
    adata.obs = _labels(name, adata.obs, labels)
    check_counts(name, adata, normalize=entry.get("normalize", True))
    return adata


def check_counts(name: str, adata: AnnData, *, normalize: bool) -> None:
    """Refuse a matrix that is no expression: empty, not finite, negative, or doubly named.

    Raises
    ------
    ValueError
        Naming the data set, the slot and a cell or gene at fault.
    """
    for slot, names in (("obs_names", adata.obs_names), ("var_names", adata.var_names)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            msg = f"data set {name!r}: {slot} holds {twice!r} more than once; make them unique"
            raise ValueError(msg)
    if adata.X is None or 0 in adata.shape:
        msg = f"data set {name!r}: X is empty ({adata.n_obs} cells x {adata.n_vars} genes)"
        raise ValueError(msg)
    values = adata.X.data if sparse.issparse(adata.X) else np.asarray(adata.X).ravel()
    if not np.isfinite(values).all():
        msg = f"data set {name!r}: X holds values that are NaN or infinite"
        raise ValueError(msg)
    if normalize and values.size and values.min() < 0:
        msg = (
            f"data set {name!r}: X holds negative values ({values.min():g}), so it cannot be "
            "counts. If it is already normalised, say normalize: false and log1p: false"
        )
        raise ValueError(msg)
    if normalize and values.size and not (values[:10_000] == np.round(values[:10_000])).all():
        log.warning("data set %r: X holds values that are not integers; are these counts?", name)


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

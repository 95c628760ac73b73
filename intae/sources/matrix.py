"""Which matrix of the data to use, on which scale it is, and whether it is expression at all."""

from __future__ import annotations

import logging

import numpy as np
from anndata import AnnData
from scipy import sparse

from ..prepared import is_integer

log = logging.getLogger(__name__)

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

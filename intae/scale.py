"""What a matrix of expression holds: counts, normalised values, or their logarithms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd
from scipy import sparse

from .errors import IntaeError, suggest

log = logging.getLogger(__name__)

SCALES = ("counts", "normalized", "log")
LARGEST_LOG = 30.0  # exp(30) counts of a gene in a cell: no logarithm of counts is larger
CENTRED = 0.05  # of its spread: nearer to 0 no mean of a gene is that was not centred


@dataclass
class Values:
    """What the values of a matrix are like: the smallest, the largest, whether all are integers."""

    low: float = 0.0
    high: float = 0.0
    integer: bool = True

    def __or__(self, other: Values) -> Values:
        """Return what the values of two matrices together are like."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Values(low, high, self.integer and other.integer)


def look_at(X, where: str, cells: pd.Index | None, genes: pd.Index | None) -> Values:
    """Return what the values of a matrix, dense or sparse, are like.

    Raises
    ------
    IntaeError
        If they are no numbers, or not all finite; `where` says in the message what X is, `cells`
        and `genes` which value it is. Without these it is not asked whether they are finite.
    """
    values = X.data if sparse.issparse(X) else np.asarray(X)
    if values.dtype.kind not in "iufb":
        shown = next((v for v in values.ravel() if isinstance(v, str)), None)
        said = f"of type {values.dtype}" if shown is None else f"such as {shown!r}"
        msg = f"{where} holds values {said}, not numbers"
        raise IntaeError(msg)
    if cells is not None and not is_finite(X):
        cell, gene = first_broken(X)
        refuse_values(where, cells[cell], genes[gene])
    if not values.size:
        return Values()
    integer = bool((values == np.round(values)).all())
    low, high = float(values.min()), float(values.max())
    if values.size < np.prod(X.shape):  # zeros that a sparse matrix does not keep
        low, high = min(low, 0.0), max(high, 0.0)
    return Values(low, high, integer)


def is_finite(X) -> bool:
    """Say whether all values are finite."""
    values = X.data if sparse.issparse(X) else np.asarray(X)
    return values.dtype.kind not in "fc" or bool(np.isfinite(values).all())


def refuse_values(where: str, cell: str, gene: str) -> NoReturn:
    """Refuse values that are not finite.

    Raises
    ------
    IntaeError
        Naming the first one's cell and gene.
    """
    msg = f"{where} holds values that are NaN or infinite, at cell {cell!r}, gene {gene!r} first"
    raise IntaeError(f"{msg}; replace them, or leave the cell or gene out")


def first_broken(X) -> tuple[int, int]:
    """Return row and column of the first value that is not finite."""
    if not sparse.issparse(X):
        return tuple(np.argwhere(~np.isfinite(np.asarray(X)))[0])
    entries = X.tocoo()
    first = np.flatnonzero(~np.isfinite(entries.data))[0]
    return entries.row[first], entries.col[first]


def find_scale(values: Values, scale: str | None, where: str) -> str:
    """Return the scale of a matrix, as it was said or found out, refusing what contradicts it.

    Parameters
    ----------
    values
        What :func:`look_at` found.
    scale
        `counts` (normalised and logged when prepared), `normalized` (logged only), `log` (taken as
        it is), or None to find out: integers are counts; other values that are small enough are
        logarithms, which is logged.
    where
        What the matrix is, for messages.

    Raises
    ------
    IntaeError
        For values below zero (of a scale that is said to be `log`, see :func:`refuse_centred`), for
        counts that are no integers, and where the scale cannot be told.
    """
    low, high = values.low, values.high
    if scale is not None and scale not in SCALES:
        msg = f"there is no scale {scale!r}{suggest(scale, SCALES)}"
        raise IntaeError(msg)
    if low == high:
        msg = f"{where} holds one value only ({low:g}), so no gene varies; is it the right matrix?"
        raise IntaeError(msg)
    if scale is None:
        if low < 0:
            msg = (
                f"{where} holds negative values ({low:g} to {high:g}), so it was scaled or centred"
            )
            raise IntaeError(f"{msg} and is neither counts nor their logarithms; {_ADVICE}")
        if values.integer:
            return "counts"
        if high <= LARGEST_LOG:
            log.warning("%s holds no integers (%.3g to %.3g): taken as log-normalised, so that it "
                        "is neither normalised nor logged", where, low, high)  # fmt: skip
            return "log"
        msg = (
            f"{where} ({low:g} to {high:g}) holds values that are no integers, so it is no "
            "counts, and it does not look log-normalised; say scale: counts, normalized or log"
        )
        raise IntaeError(msg)
    if scale != "log" and low < 0:
        msg = f"{where} holds negative values ({low:g}), so scale: {scale} is wrong"
        raise IntaeError(msg)
    if scale == "counts" and not values.integer:
        msg = (
            f"{where} holds values that are no integers, but scale: counts says "
            "counts; say scale: normalized or log, or matrix: with the layer that holds the counts"
        )
        raise IntaeError(msg)
    return scale


def refuse_centred(mean: np.ndarray, variance: np.ndarray, where: str) -> None:
    """Refuse values below zero with genes of mean zero: z-scores, whatever they are called.

    Other values below zero may be logarithms, such as those that a batch was taken off.

    Parameters
    ----------
    mean, variance
        Of each gene.
    where
        What the matrix is, for the message.

    Raises
    ------
    IntaeError
        If the means of most genes that vary are zero beside their spread.
    """
    spread = np.sqrt(variance.clip(0))
    varies = spread > 0
    if varies.any() and np.median(np.abs(mean[varies]) / spread[varies]) < CENTRED:
        msg = f"{where} holds negative values, and the mean of most genes is 0, so it was scaled or"
        raise IntaeError(f"{msg} centred (z-scores) and is no logarithm; {_ADVICE}")


def variances(X) -> np.ndarray:
    """Return the variance of each column of a matrix, dense or sparse."""
    mean = np.asarray(X.mean(0)).ravel()
    square = X.multiply(X) if sparse.issparse(X) else X**2
    return np.asarray(square.mean(0)).ravel() - mean**2


_ADVICE = (
    "give raw counts, such as those of a layer (layer= in Python, matrix: in the config) or of raw "
    "(adata.raw.to_adata() in Python, matrix: raw in the config)"
)

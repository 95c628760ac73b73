"""The objective F + R at some W: F of equation 3, for a network's loadings and for the best ones.

    F(Z, W) = 1/N sum_n |y_n - W z_n|^2 + l0/N sum_n |z_n|^2                    (equation 3)

For a given W the z_n that minimises this is a ridge solution, linear in y_n, so no network does
better, and F becomes a function of W and the covariance S = Y'Y/N of the centred genes alone:

    z_n = A' y_n,   A = W (W'W + l0 I)^-1
    F*(W) = tr S - tr(S W A') = l0 tr(S (W W' + l0 I)^-1)
    grad F*(W) = -2 (S A - W A'S A)

The gradient is that of F at fixed Z (the envelope theorem). With linear covariates (equation 2), S
is the covariance of what least squares on them leaves of Y: F*(W) = l0 tr(S (W W' + l0 I)^-1)
weights every cell alike, and then generalised least squares is ordinary least squares for any W.

:class:`Problem` is F* of some data, :class:`Point` what is known at one W, and :class:`History` the
table of F + R that every solver fills while it works.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from .penalties import Penalty

log = logging.getLogger(__name__)


def data_term(Y, Z, W, lambda0: float):
    """F of equation 3 as it stands there, for NumPy arrays or torch tensors.

    Parameters
    ----------
    Y
        cells x genes, centred (and without what covariates explain).
    Z
        cells x terms.
    W
        genes x terms.
    lambda0
        Factor of |z|^2.
    """
    return (((Y - Z @ W.T) ** 2).sum() + lambda0 * (Z**2).sum()) / len(Y)


@dataclass(frozen=True)
class Loadings:
    """All that F and its gradient need of loadings: their second moments, with the genes and alone.

    Attributes
    ----------
    YZ
        Y'Z/N, genes x terms.
    ZZ
        Z'Z/N, terms x terms.
    """

    YZ: np.ndarray
    ZZ: np.ndarray

    def data_term(self, total: float, W: np.ndarray, lambda0: float) -> float:
        """F of equation 3, with `total` = tr S, the mean of |y_n|^2."""
        fit = total - 2 * np.vdot(self.YZ, W) + np.vdot(W.T @ W, self.ZZ)
        return float(fit + lambda0 * np.trace(self.ZZ))

    def gradient(self, W: np.ndarray) -> np.ndarray:
        """Gradient of F in W at these loadings, genes x terms.

        2 ZZ is its Hessian, the same for every gene.
        """
        return 2 * (W @ self.ZZ - self.YZ)

    def explained(self, total: float, W: np.ndarray) -> np.ndarray:
        """Share of the variance that each term explains by itself, 1 - |Y - z_k w_k'|^2 / |Y|^2."""
        return (2 * (self.YZ * W).sum(0) - np.diag(self.ZZ) * (W**2).sum(0)) / total


def best_encoder(W: np.ndarray, lambda0: float) -> np.ndarray:
    """A = W (W'W + l0 I)^-1, genes x terms: the best loadings of a cell y are A'y."""
    return W @ _inverse(W, lambda0)


def best_loadings(SW: np.ndarray, W: np.ndarray, lambda0: float) -> Loadings:
    """Return the moments of the best encoder's loadings, Y'Z/N = S A and Z'Z/N = A'S A.

    Parameters
    ----------
    SW
        S W, genes x terms: the one costly product, left to the caller because it is linear in W.
    """
    on = W.any(0)
    if not on.all():  # what is off has no loadings; W has many such columns, and costs their square
        part, place = best_loadings(SW[:, on], W[:, on], lambda0), np.ix_(on, on)
        whole = Loadings(np.zeros_like(SW), np.zeros((len(on), len(on))))
        whole.YZ[:, on], whole.ZZ[place] = part.YZ, part.ZZ
        return whole
    return _moments(SW, W.T @ SW, _inverse(W, lambda0))


def _moments(SW: np.ndarray, WSW: np.ndarray, inverse: np.ndarray) -> Loadings:
    """Return S A and A'S A of A = W times the inverse."""
    ZZ = inverse @ WSW @ inverse
    return Loadings(SW @ inverse, (ZZ + ZZ.T) / 2)


def best_data_term(S: np.ndarray, W: np.ndarray, lambda0: float) -> float:
    """F*(W) = tr S - tr(S A W'), the data term of equation 3 with the best encoder."""
    return float(np.trace(S) - np.vdot(best_loadings(S @ W, W, lambda0).YZ, W))


def _inverse(W: np.ndarray, lambda0: float) -> np.ndarray:
    """Return (W'W + l0 I)^-1: small, and no eigenvalue of what is inverted lies below l0."""
    ridge = W.T @ W
    ridge.flat[:: len(ridge) + 1] += lambda0
    return np.linalg.inv(ridge)


class Problem:
    """The data's side of equation 3: F* as a function of W.

    Parameters
    ----------
    S
        Covariance of the genes, genes x genes, float64.
    lambda0
        Factor of |z|^2, above 0.
    """

    def __init__(self, S: np.ndarray, lambda0: float):
        self.S, self.lambda0, self.total = S, lambda0, float(np.trace(S))

    def at(self, W: np.ndarray) -> Point:
        """Evaluate W."""
        on = np.flatnonzero((W != 0).any(0))
        return Point(self, W, on, self.times(_columns(W, on)))

    def times(self, W: np.ndarray) -> np.ndarray:
        """Return S W; where W is mostly zeros, as the penalty makes it, this is cheap."""
        if np.count_nonzero(W) < 0.15 * W.size:
            return (_by_gene(W) @ self.S).T
        return self.S @ W


def _by_gene(W: np.ndarray) -> sparse.csc_array:
    """Return W' with its entries gene by gene, so that a product with S reads each row once."""
    entries = W != 0
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(entries, axis=1))])
    at = np.flatnonzero(entries)
    return sparse.csc_array((W.ravel()[at], at % W.shape[1], starts), shape=W.shape[::-1])


def _columns(A: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return some columns, without a copy where these are all."""
    return A if len(chosen) == A.shape[1] else A[:, chosen]


class Point:
    """A W with what is known there: S W, the moments of the best loadings, F*.

    What is off has no loadings, so that only the other columns are worked on.

    Parameters
    ----------
    problem, W
        F*, and where.
    on
        The columns of W that are not zero, in order.
    SW
        S W of these.

    Attributes
    ----------
    W_on
        These columns.
    data_term
        F*(W).
    """

    def __init__(self, problem: Problem, W: np.ndarray, on: np.ndarray, SW: np.ndarray):
        self.problem, self.W, self.on, self.SW = problem, W, on, SW
        self.W_on = _columns(W, on)
        self._WSW, self._inverse = self.W_on.T @ SW, _inverse(self.W_on, problem.lambda0)
        self.data_term = float(problem.total - np.vdot(self._WSW, self._inverse))

    @cached_property
    def best_on(self) -> Loadings:
        """The moments of the best loadings of `W_on`; of a step that is refused, nobody asks."""
        return _moments(self.SW, self._WSW, self._inverse)

    @cached_property
    def best(self) -> Loadings:
        """The moments of the best loadings of all terms, zero for those that are off."""
        if len(self.on) == self.W.shape[1]:
            return self.best_on
        whole = Loadings(np.zeros_like(self.W), np.zeros(2 * self.W.shape[1:]))
        whole.YZ[:, self.on], whole.ZZ[np.ix_(self.on, self.on)] = self.best_on.YZ, self.best_on.ZZ
        return whole

    def gradient(self) -> np.ndarray:
        """Gradient of F*, genes x terms."""
        return self.best.gradient(self.W)

    def objective(self, penalty: Penalty) -> float:
        """Return F* + R."""
        if len(self.on) < self.W.shape[1]:
            penalty = penalty.take(self.on)
        return self.data_term + penalty.value(self.W_on)

    def take(self, columns: np.ndarray) -> Point:
        """Return the point of some columns, a bool for each; the others count as zero."""
        stay = columns[self.on]
        on = (np.cumsum(columns) - 1)[self.on[stay]]
        return Point(self.problem, self.W[:, columns], on, self.SW[:, stay])

    def with_column(self, term: int, column: np.ndarray) -> Point:
        """Return the point with a column that is not zero in place of one that is."""
        W, genes = self.W.copy(), np.flatnonzero(column)
        W[:, term] = column
        place = np.searchsorted(self.on, term)
        new = self.problem.S[:, genes] @ column[genes]
        SW = np.insert(self.SW, place, new, axis=1)
        return Point(self.problem, W, np.insert(self.on, place, term), SW)

    def beyond(self, before: Point, weight: float) -> Point:
        """Return the point further along the way from `before`; S W is linear in W."""
        W = _beyond(self.W, before.W, weight)
        if not np.array_equal(self.on, before.on):
            return self.problem.at(W)
        return Point(self.problem, W, self.on, _beyond(self.SW, before.SW, weight))


def _beyond(here: np.ndarray, before: np.ndarray, weight: float) -> np.ndarray:
    """Return here + weight (here - before)."""
    way = here - before
    way *= weight
    way += here
    return way


def annotation_start(S: np.ndarray, annotations: np.ndarray, n_terms: int) -> np.ndarray:
    """W to start from: each annotated term at its gene set's indicator, scaled to length 1.

    The problem is not convex, and of all starts this one has a reason. Terms without annotation
    start at the leading eigenvectors of S, each of length 1.

    Parameters
    ----------
    S
        Covariance of the genes.
    annotations
        I, genes x annotated terms, 0/1.
    n_terms
        Number of all terms, the annotated ones first.
    """
    n_known = annotations.shape[1]
    W = np.zeros((len(S), n_terms))
    W[:, :n_known] = annotations / np.sqrt(annotations.sum(0))
    if n_terms > n_known:
        vectors = np.linalg.eigh(S)[1][:, ::-1][:, : n_terms - n_known]
        W[:, n_known:] = vectors * np.where(vectors.sum(0) < 0, -1, 1)
    return W


class History:
    """Rows of `history_`, gathered while a solver works.

    Parameters
    ----------
    penalty
        R, over all terms.
    scale
        Norm of the gradient at the annotation start; certificates are given as a share of it.
    """

    def __init__(self, penalty: Penalty, scale: float):
        self.penalty, self.scale = penalty, scale
        self._off = int(np.count_nonzero(penalty.entries > 0))
        self.rows: list[dict] = []
        self._clock = time.perf_counter()

    def certificate(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Distance of -gradient from the subdifferential of R at W, as a share of `scale`."""
        return float(np.linalg.norm(self.penalty.subdiff_distance(W, gradient))) / self.scale

    def add(self, iteration: int, data_term: float, W: np.ndarray, certificate: float) -> dict:
        """Add a row for W and return it."""
        on = np.flatnonzero(W.any(0))
        W, penalty = _columns(W, on), self.penalty.take(on)
        parts = {name: float(value) for name, value in penalty.parts(W).items()}
        wrong = int(np.count_nonzero(W[penalty.entries > 0]))
        row = {
            "iteration": iteration,
            "F": float(data_term),
            **parts,
            "objective": float(data_term) + sum(parts.values()),
            "certificate": certificate,
            "n_deactivated": len(self.penalty.groups) - len(on),
            "inactive_zero_share": (self._off - wrong) / self._off if self._off else 1.0,
            "seconds": time.perf_counter() - self._clock,
        }
        self.rows.append(row)
        log.debug("%s", row)
        return row

    def go_on(self, rows: list[dict]) -> None:
        """Take over the rows of a fit that was killed; the clock goes on from the last one's."""
        self.rows = rows
        self._clock = time.perf_counter() - rows[-1]["seconds"]

    def table(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.DataFrame(self.rows)

"""Terms enter one by one, the one that lowers F* + R most first.

A term that is off is a stationary point for any penalty (its loadings are zero, so its gradient
is), whatever it could explain if it were on; descent alone can only switch terms off. So each term
that is off is asked what it would bring if it came in whole. With a new column w,

    F*(W) - F*([W, w]) = w'E w / (l0 + w'(I - A W') w)

where E is the covariance of the residuals y - W z. w is tried along the leading eigenvector of E
within the term's gene set, at the length that pays best after the group penalty.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh

from .descent import Point, Problem
from .objective import best_encoder
from .penalties import Penalty, column_norms

LANCZOS = 30  # genes, from which on it is quicker
LENGTHS = np.geomspace(0.3, 30, 80)  # tried lengths of w, in units of sqrt(l0)


class Candidates:
    """What each annotated or sparse term that is off would bring.

    Gains shrink as other terms come in, nearly always; so an old gain is an upper bound, and only
    the best old ones are computed anew until the best of all is known.

    Parameters
    ----------
    penalty
        R, over all terms.
    barred
        Terms never to be tried.
    """

    def __init__(self, problem: Problem, penalty: Penalty, barred: np.ndarray):
        self.problem, self.penalty = problem, penalty
        self.bound = np.where(barred | (penalty.kinds == "dense"), -np.inf, np.inf)

    def best(self, here: Point) -> tuple[int, np.ndarray] | None:
        """Return the term that would lower F* + R most, and its column; None if no term would."""
        self.look_at(here)
        off = column_norms(here.W) == 0
        fresh: dict[int, np.ndarray] = {}
        while True:
            bound = np.where(off, self.bound, -np.inf)
            term = int(bound.argmax())
            if bound[term] <= 1e-9 * self.problem.total:
                return None
            if term in fresh:
                return term, fresh[term]
            self.bound[term], fresh[term] = self._gain(term)

    def bar(self, term: int) -> None:
        """Never try a term again."""
        self.bound[term] = -np.inf

    def shortfall(self, term: int) -> float:
        """Return how much F* + R would rise if a term came in at its natural length all the same.

        That is the length at which it explains most for its penalty, sqrt(l0 / w'(I - A W')w).
        """
        entries = self.penalty.entries[:, term]
        rises = []
        for genes in self._sets_of(term):
            value, new, per_length, _ = self._direction(genes, entries, self.penalty.groups[term])
            length = np.sqrt(self.problem.lambda0 / new)
            rises.append(per_length * length - value / (2 * new))
        return float(min(rises))

    def at_natural_length(self, term: int) -> np.ndarray:
        """Return the column of an annotated term at that length."""
        (genes,) = self._sets_of(term)
        entries = self.penalty.entries[:, term]
        _, new, _, u = self._direction(genes, entries, self.penalty.groups[term])
        column = np.zeros(len(entries))
        column[genes] = np.sqrt(self.problem.lambda0 / new) * u
        return column

    def look_at(self, here: Point) -> None:
        """Take W, and what it leaves unexplained, as the state to come into."""
        on = column_norms(here.W) > 0
        W, best = here.W[:, on], here.best
        explained = best.YZ[:, on] @ W.T
        self.residual = self.problem.S - explained - explained.T + W @ best.ZZ[np.ix_(on, on)] @ W.T
        self.W, self.A = W, best_encoder(W, self.problem.lambda0)

    def _gain(self, term: int) -> tuple[float, np.ndarray]:
        entries = self.penalty.entries[:, term]
        best_gain, best_column = -np.inf, np.zeros(len(entries))
        for genes in self._sets_of(term):
            gain, column = self._gain_within(genes, entries, self.penalty.groups[term])
            if gain > best_gain:
                best_gain, best_column = gain, column
        return best_gain, best_column

    def _gain_within(
        self, genes: np.ndarray, entries: np.ndarray, group: float
    ) -> tuple[float, np.ndarray]:
        value, new, per_length, u = self._direction(genes, entries, group)
        t = np.sqrt(self.problem.lambda0) * LENGTHS
        gain = value * t**2 / (self.problem.lambda0 + new * t**2) - per_length * t
        column = np.zeros(len(entries))
        column[genes] = t[gain.argmax()] * u
        return float(gain.max()), column

    def _direction(
        self, genes: np.ndarray, entries: np.ndarray, group: float
    ) -> tuple[float, float, float, np.ndarray]:
        """Return u'E u, u'(I - A W')u, the penalty per length, and u, the leading direction."""
        value, u = leading_direction(self.residual[np.ix_(genes, genes)])
        new = 1 - (self.A[genes].T @ u) @ (self.W[genes].T @ u)
        return value, float(new), float(group + entries[genes] @ abs(u)), u

    def _sets_of(self, term: int) -> list[np.ndarray]:
        """Return the genes that a term may come in with: its set, or for a sparse one several."""
        if self.penalty.kinds[term] == "sparse":
            return self._sparse_sets()
        entries = self.penalty.entries[:, term]
        return [np.flatnonzero(entries == entries.min())]

    def _sparse_sets(self) -> list[np.ndarray]:
        """Return gene sets of several sizes, the strongest in the leading residual direction."""
        _, vector = leading_direction(self.residual)
        order = np.argsort(-abs(vector), kind="stable")
        return [np.sort(order[:size]) for size in (5, 10, 20, 40, 80, 160) if size <= len(order)]


def leading_direction(E: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the largest eigenvalue of a covariance and its eigenvector.

    By Lanczos steps where it is large, which start at the mean direction and so end the same every
    time (Lehoucq et al. 1998).
    """
    last = len(E) - 1
    if len(E) < LANCZOS or not E.any():
        values, vectors = eigh(E, subset_by_index=[last, last])
    else:
        values, vectors = eigsh(E, k=1, which="LA", v0=np.ones(len(E)))
    return float(values[0]), vectors[:, 0]


def try_term(here: Point, penalty: Penalty, term: int, column: np.ndarray) -> tuple[Point, bool]:
    """Let a term in, if F* + R is lower then.

    Returns
    -------
    The new point, or the old one, and whether the term came in.
    """
    W = here.W.copy()
    W[:, term] = column
    new = here.problem.at(W)
    if new.data_term + penalty.value(W) < here.data_term + penalty.value(here.W):
        return new, True
    return here, False

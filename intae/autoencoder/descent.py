"""Descent on F*(W) + R(W) from second moments: the network is eliminated from equation 3.

Accelerated proximal gradient (Beck and Teboulle 2009) with restarts (O'Donoghue and Candes 2015),
made monotone: a step that would raise F* + R is not taken. Each term has a step length of its own,
since the loadings' variances differ by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from .objective import best_data_term_from, best_loadings
from .penalties import Penalty, column_norms

BOOST = 1.9  # times the safe step; the check of descent catches the few steps that go wrong
EVERY = 10  # iterations between two looks at the certificate
ROUNDING = 1e-13  # relative; a rise of F* + R below this is none


class Problem:
    """The data's side of equation 3.

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
        return Point(self, W, self.times(W))

    def times(self, W: np.ndarray) -> np.ndarray:
        """Return S W; where W is mostly zeros, as the penalty makes it, this is cheap."""
        if np.count_nonzero(W) < 0.15 * W.size:
            return (sparse.csr_array(W.T) @ self.S).T
        return self.S @ W


class Point:
    """A W with what is known there: S W, the moments of the best loadings, F*."""

    def __init__(self, problem: Problem, W: np.ndarray, SW: np.ndarray):
        self.problem, self.W, self.SW = problem, W, SW
        self.best = best_loadings(SW, W, problem.lambda0)
        self.data_term = best_data_term_from(self.best, problem.total, W)

    def gradient(self) -> np.ndarray:
        """Gradient of F*."""
        return self.best.gradient(self.W)

    def take(self, columns: np.ndarray) -> Point:
        """Return the point of some columns; the others must be zero."""
        return Point(self.problem, self.W[:, columns], self.SW[:, columns])

    def beyond(self, before: Point, weight: float) -> Point:
        """Return the point further along the way from `before`; S W is linear in W."""
        W = self.W + weight * (self.W - before.W)
        return Point(self.problem, W, self.SW + weight * (self.SW - before.SW))


def step_lengths(ZZ: np.ndarray) -> np.ndarray:
    """Return a step length for each term such that a proximal step cannot raise F* + R.

    F at fixed loadings lies above F* and has the Hessian 2 ZZ for each gene. With d = diag(ZZ) and
    c the largest eigenvalue of ZZ scaled to a unit diagonal, 2 c diag(d) lies above 2 ZZ.
    """
    d = np.diag(ZZ)
    scale = 1 / np.sqrt(d)
    c = np.linalg.eigvalsh(ZZ * scale * scale[:, None])[-1]
    return 1 / (2 * c * d)


def descend(
    problem: Problem,
    penalty: Penalty,
    W: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    look: Callable[[int, float, np.ndarray, float], None] | None = None,
) -> tuple[np.ndarray, bool, int]:
    """Lower F*(W) + R(W) from a given W to a stationary point.

    A column that is zero stays so (its best loadings are zero, and so is its gradient) and is left
    out of all work.

    Parameters
    ----------
    problem, penalty
        F* and R.
    W
        The start, genes x terms; not modified.
    tol
        Stop where -grad F* is within this distance of the subdifferential of R.
    max_iter
        Stop after this many steps anyway.
    look
        Called every few steps with (iteration, F*, W, distance).

    Returns
    -------
    W, whether the certificate holds, number of iterations.
    """
    columns = np.flatnonzero(column_norms(W) > 0)
    everywhere, penalty = W.shape, penalty.take(columns)
    here = ahead = problem.at(W[:, columns])
    objective = here.data_term + penalty.value(here.W)
    momentum, boost, iteration = 1.0, BOOST, 0

    def check() -> float:
        distance = float(np.linalg.norm(penalty.subdiff_distance(here.W, here.gradient())))
        if look is not None:
            look(iteration, here.data_term, _spread(here.W, columns, everywhere), distance)
        return distance

    distance = check()
    while distance > tol and iteration < max_iter and len(columns):
        iteration += 1
        step = boost * step_lengths(ahead.best.ZZ)
        new = problem.at(penalty.prox(ahead.W - step * ahead.gradient(), step))
        value = new.data_term + penalty.value(new.W)
        if value > objective * (1 + ROUNDING):
            if ahead is here:  # no momentum to blame, so the step was too long
                boost = max(1.0, boost / 1.3)
            ahead, momentum = here, 1.0
        else:
            uphill = np.vdot((ahead.W - new.W) / step, new.W - here.W) > 0
            before, here, objective = here, new, value
            alive = column_norms(here.W) > 0
            if not alive.all():
                columns, penalty = columns[alive], penalty.take(alive)
                before, here = before.take(alive), here.take(alive)
            if uphill:
                ahead, momentum = here, 1.0
            else:
                momentum, last = (1 + np.sqrt(1 + 4 * momentum**2)) / 2, momentum
                ahead = here.beyond(before, (last - 1) / momentum)
        if iteration % EVERY == 0 or not len(columns):
            distance = check()
    if iteration % EVERY:
        distance = check()
    return _spread(here.W, columns, everywhere), bool(distance <= tol), iteration


def _spread(W: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    full = np.zeros(shape)
    full[:, columns] = W
    return full

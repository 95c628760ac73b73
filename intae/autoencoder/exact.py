"""Equation 3 without the network: F*(W) + R(W) minimised from second moments alone.

Accelerated proximal gradient (Beck and Teboulle 2009) with restarts (O'Donoghue and Candes 2015),
made monotone: a step that would raise F* + R is not taken. Each term has a step length of its own,
since the loadings' variances differ by orders of magnitude.
"""

from __future__ import annotations

import logging
import time

import numpy as np
from scipy import sparse

from .objective import Loadings, best_data_term_from, best_loadings
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)

BOOST = 1.9  # steps beyond the safe length; the check of descent catches the few that go wrong
EVERY = 10  # iterations between two looks at the certificate


class Point:
    """A W with what is computed there: S W, the best loadings, F* and the gradient."""

    def __init__(self, problem: Problem, W: np.ndarray, SW: np.ndarray):
        self.W, self.SW = W, SW
        self.best: Loadings = best_loadings(SW, W, problem.lambda0)
        self.data_term = best_data_term_from(self.best, problem.total, W)

    def gradient(self) -> np.ndarray:
        return self.best.gradient(self.W)

    def take(self, problem: Problem, columns: np.ndarray) -> Point:
        return Point(problem, self.W[:, columns], self.SW[:, columns])


class Problem:
    """The data's side of equation 3: S and lambda0.

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
        """S W; W is mostly zeros once the penalty has worked, and then this is cheap."""
        if np.count_nonzero(W) < 0.15 * W.size:
            return (sparse.csr_array(W.T) @ self.S).T
        return self.S @ W


def step_lengths(ZZ: np.ndarray) -> np.ndarray:
    """Return a step length a term such that the proximal gradient step cannot raise F* + R.

    F at fixed loadings lies above F* and has the Hessian 2 ZZ for each gene. With d = diag(ZZ) and
    c the largest eigenvalue of ZZ scaled to a unit diagonal, 2 c diag(d) lies above 2 ZZ.
    """
    d = np.diag(ZZ)
    scale = 1 / np.sqrt(d)
    c = np.linalg.eigvalsh(ZZ * scale * scale[:, None])[-1]
    return 1 / (2 * c * d)


def solve(
    problem: Problem,
    penalty: Penalty,
    W: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    scale: float,
    history: list[dict] | None = None,
) -> tuple[np.ndarray, bool, int]:
    """Minimise F*(W) + R(W) from a given W.

    A column that becomes zero stays so (its best loadings are zero and so is its gradient) and is
    left out of all further work.

    Parameters
    ----------
    problem, penalty
        F* and R.
    W
        The start, genes x terms.
    tol
        Stop where the distance of -grad F* from the subdifferential of R is at most `tol * scale`.
    max_iter
        Stop after this many steps anyway.
    scale
        A gradient's norm to measure that distance by.
    history
        Gets a row each few iterations.

    Returns
    -------
    W, whether the certificate holds, the number of iterations.
    """
    clock = time.perf_counter()
    n_terms = W.shape[1]
    columns = np.flatnonzero(column_norms(W) > 0)
    full_penalty, penalty = penalty, penalty.take(columns)
    here = problem.at(W[:, columns])
    objective = here.data_term + penalty.value(here.W)
    ahead, momentum, boost = here, 1.0, BOOST

    def certificate() -> float:
        return float(np.linalg.norm(penalty.subdiff_distance(here.W, here.gradient()))) / scale

    def record(iteration: int, distance: float) -> None:
        if history is not None:
            W_now = np.zeros((len(W), n_terms))
            W_now[:, columns] = here.W
            seconds = time.perf_counter() - clock
            history.append(
                history_row(iteration, here.data_term, full_penalty, W_now, distance, seconds)
            )

    iteration, distance = 0, certificate()
    record(0, distance)
    while distance > tol and iteration < max_iter and len(columns):
        iteration += 1
        step = boost * step_lengths(ahead.best.ZZ)
        W_new = penalty.prox(ahead.W - step * ahead.gradient(), step)
        new = Point(problem, W_new, problem.times(W_new))
        value = new.data_term + penalty.value(W_new)
        if value > objective + 1e-13 * abs(objective):
            if ahead is here:  # no momentum to blame: the step was too long
                boost = max(1.0, boost / 1.3)
                if step is not None and boost == 1.0 and value > objective * (1 + 1e-11):
                    log.debug("no descent at iteration %d", iteration)
            ahead, momentum = here, 1.0
            distance = certificate() if iteration % EVERY == 0 else distance
            continue
        moved = W_new - here.W
        if np.vdot((ahead.W - W_new) / step, moved) > 0:  # the momentum points uphill
            momentum_new, weight = 1.0, 0.0
        else:
            momentum_new = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            weight = (momentum - 1) / momentum_new
        alive = column_norms(W_new) > 0
        before, here, objective, momentum = here, new, value, momentum_new
        if not alive.all():
            columns, penalty = columns[alive], penalty.take(alive)
            before, here = before.take(problem, alive), here.take(problem, alive)
        if weight > 0:
            ahead = Point(
                problem,
                here.W + weight * (here.W - before.W),
                here.SW + weight * (here.SW - before.SW),  # S W is linear in W
            )
        else:
            ahead = here
        if iteration % EVERY == 0:
            distance = certificate()
            record(iteration, distance)
    full = np.zeros((len(W), n_terms))
    full[:, columns] = here.W
    if not len(columns):
        distance = 0.0
    if history is None or history[-1]["iteration"] != iteration:
        record(iteration, distance)
    return full, bool(distance <= tol), iteration


def history_row(
    iteration: int,
    data_term: float,
    penalty: Penalty,
    W: np.ndarray,
    certificate: float,
    seconds: float,
) -> dict:
    """One row of `history_`, the same for all solvers."""
    parts = penalty.parts(W)
    norms = column_norms(W)
    off = penalty.entries > 0
    return {
        "iteration": iteration,
        "F": data_term,
        **parts,
        "objective": data_term + sum(parts.values()),
        "certificate": certificate,
        "n_deactivated": int((norms == 0).sum()),
        "inactive_zero_share": float((W[off] == 0).mean()) if off.any() else 1.0,
        "seconds": seconds,
    }

"""Descent on F*(W) + R(W) from second moments: the network is eliminated from equation 3.

    W_new = prox(V - eta grad F*(V), eta),   V = W + beta (W - W_before)

Accelerated proximal gradient (Beck and Teboulle 2009) with restarts (O'Donoghue and Candes 2015),
made monotone: a step that would raise F* + R is not taken. Each term has a step length eta of its
own, since the loadings' variances differ by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .objective import Problem
from .penalties import Penalty, column_norms

BOOST = 1.9  # times the safe step at first; less after each step that the check of descent refuses
EVERY = 10  # iterations between two looks at the certificate
ROUNDING = 1e-13  # relative; a rise of F* + R below this is none


def step_lengths(ZZ: np.ndarray) -> np.ndarray:
    """Return a step length per term such that a proximal step cannot raise F* + R.

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
    every: int = EVERY,
    look: Callable[[int, float, Callable[[], np.ndarray], float], None] | None = None,
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
    every
        Steps between two looks at the certificate.
    look
        Called every few steps with (iteration, F*, a function that returns W, distance).

    Returns
    -------
    W, whether the certificate holds, number of iterations.
    """
    columns = np.flatnonzero(W.any(0))
    everywhere, penalty = W.shape, penalty.take(columns)
    here = ahead = problem.at(W[:, columns])
    objective = here.objective(penalty)
    momentum, boost, iteration = 1.0, BOOST, 0

    def check() -> float:
        distance = float(np.linalg.norm(penalty.subdiff_distance(here.W, here.gradient())))
        if look is not None:
            whole = partial(_spread, here.W, columns, everywhere)
            look(iteration, here.data_term, whole, distance)
        return distance

    distance = check()
    while distance > tol and iteration < max_iter and len(columns):
        iteration += 1
        step = boost * step_lengths(ahead.best.ZZ)
        new = problem.at(penalty.prox(ahead.W - step * ahead.gradient(), step))
        value = new.objective(penalty)
        if value > objective * (1 + ROUNDING):
            boost = max(1.0, boost / 1.3)  # or momentum would be lost again and again
            ahead, momentum = here, 1.0
        else:
            uphill = ((ahead.W - new.W) * (new.W - here.W)).sum(0) @ (1 / step) > 0
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
        if iteration % every == 0 or not len(columns):
            distance = check()
    if iteration % every:
        distance = check()
    return _spread(here.W, columns, everywhere), bool(distance <= tol), iteration


def _spread(W: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    full = np.zeros(shape)
    full[:, columns] = W
    return full

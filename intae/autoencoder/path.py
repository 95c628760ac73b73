"""The solutions along the penalties, from those that leave nothing on downwards, warm-started."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from .confounders import genes_outside
from .exact import empty_start, minimise
from .lambdas import FRACTION1, FRACTION3
from .objective import History, Problem, best_encoder
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)

FRACTIONS = tuple(np.geomspace(1, FRACTION3 / 2, 12).round(4).tolist())


def path(
    problem: Problem,
    annotations: np.ndarray,
    names: pd.Index,
    penalty_of: Callable[[float, float, float], Penalty],
    fractions: Sequence[float],
    *,
    largest: tuple[float, float],
    scale: float,
    tol: float,
    max_iter: int,
    held_out: np.ndarray | None = None,
) -> pd.DataFrame:
    """Solve for one fraction of the largest penalties after the other.

    Parameters
    ----------
    problem
        The data's side of equation 3.
    annotations
        I, genes x annotated terms.
    names
        Names of all terms.
    penalty_of
        Function of lambda1, lambda2 and lambda3, gives R.
    fractions
        Of lambda3_max; taken from large to small.
    largest
        lambda1_max and lambda3_max.
    scale, tol, max_iter
        As in :func:`intae.autoencoder.exact.minimise`, for each fraction.
    held_out
        Second moment of other cells about the training mean, genes x genes.

    Returns
    -------
    One row per fraction; see :meth:`intae.Autoencoder.path`.
    """
    W, rows, on = None, [], np.zeros(len(names), dtype=bool)
    clock = time.perf_counter()
    for fraction in sorted(fractions, reverse=True):
        lambda1, lambda3 = FRACTION1 / FRACTION3 * fraction * largest[0], fraction * largest[1]
        penalty = penalty_of(lambda1, lambda1, lambda3)
        W = empty_start(problem.S, penalty) if W is None else W
        history = History(penalty, scale)
        W, converged, n_iter = minimise(
            problem, penalty, W, tol=tol, max_iter=max_iter, history=history
        )
        now = column_norms(W) > 0
        last = history.rows[-1]
        rows.append(
            {
                "fraction": fraction,
                "lambda1": lambda1,
                "lambda3": lambda3,
                "F": last["F"],
                "objective": last["objective"],
                "n_active": int(now.sum()),
                "n_added": int(genes_outside(W, annotations).sum()),
                "variance_explained": _explained(problem.S, W, problem.lambda0),
                "held_out": np.nan
                if held_out is None
                else _explained(held_out, W, problem.lambda0),
                "certificate": last["certificate"],
                "converged": converged,
                "n_iter": n_iter,
                "seconds": time.perf_counter() - clock,
                "entered": " ".join(names[now & ~on]),
                "left": " ".join(names[on & ~now]),
            }
        )
        log.info("path: lambda3 = %.3g of the largest, %d terms active", fraction, now.sum())
        on = now
    return pd.DataFrame(rows)


def _explained(S: np.ndarray, W: np.ndarray, lambda0: float) -> float:
    """Share of the variance S that the best encoder and W reconstruct."""
    A = best_encoder(W, lambda0)
    SA = S @ A
    left = np.trace(S) - 2 * np.vdot(SA, W) + np.vdot(A.T @ SA, W.T @ W)
    return float(1 - left / np.trace(S))

"""The exact solver: F*(W) + R(W) of equation 3 minimised from second moments alone.

The problem is not convex, so the way matters. From nothing, terms come in one by one, the one that
brings most first, with some steps of descent after each (:mod:`.descent`); then factors get the
names that fit best; then terms that help once others make room come in; then descent runs to its
certificate. The moves and their equations are in :mod:`.moves`. Every move lowers F* + R, and
nothing is drawn by chance.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from ..progress import Ticker
from .descent import descend
from .moves import Candidates, rename, second_look, try_term
from .objective import History, Problem, annotation_start
from .penalties import Penalty

log = logging.getLogger(__name__)

STEPS = 5  # of descent after each term that comes in
ROUGH = 10  # times the tolerance, before the last descent


def empty_start(S: np.ndarray, penalty: Penalty) -> np.ndarray:
    """Return W with the dense terms at the leading eigenvectors of S and all others off.

    Dense terms are confounders, which every gene feels; they come first, so that no gene set has
    to stand for them.
    """
    W = annotation_start(S, np.zeros((len(S), 0)), int((penalty.kinds == "dense").sum()))
    full = np.zeros(penalty.entries.shape)
    full[:, penalty.kinds == "dense"] = W
    return full


def minimise(
    problem: Problem,
    penalty: Penalty,
    W: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    history: History,
    barred: np.ndarray | None = None,
) -> tuple[np.ndarray, bool, int]:
    """Minimise F*(W) + R(W) from a given W, letting in the terms that help.

    Parameters
    ----------
    problem, penalty
        F* and R.
    W
        The start, genes x terms: :func:`empty_start`, or the solution for other lambdas.
    tol
        The certificate to stop at, as a share of `history.scale`.
    max_iter
        Most steps of descent in all.
    history
        Gets its rows.
    barred
        Terms that must stay off, one bool per term.

    Returns
    -------
    W, whether the certificate holds, number of steps of descent.
    """
    barred = np.zeros(W.shape[1], dtype=bool) if barred is None else barred
    done, converged, ticker = 0, False, Ticker()

    def look(
        iteration: int, data_term: float, W: Callable[[], np.ndarray], distance: float
    ) -> None:
        if ticker.due():
            log.info(
                "step %d: certificate %.2g, to stop at %.2g",
                done + iteration, distance / history.scale, tol,
            )  # fmt: skip
        if iteration or not history.rows:
            history.add(done + iteration, data_term, W(), distance / history.scale)

    def down(W: np.ndarray, share: float, steps: int) -> np.ndarray:
        nonlocal done, converged
        W, converged, n = descend(
            problem, penalty, W, tol=share * history.scale, max_iter=min(steps, max_iter - done),
            look=look,
        )  # fmt: skip
        done += n
        return W

    for round_ in range(10):
        before = done
        W, n_new = _let_in(problem, penalty, W, barred, down, tol)
        W = down(W, ROUGH * tol, max_iter)
        point, n_moves = rename(problem.at(W), penalty, barred)
        W = point.W
        log.info(
            "round %d: %d terms came in, %d changed their name, %d steps",
            round_ + 1, n_new, n_moves, done - before,
        )  # fmt: skip
        if n_moves == 0 and (n_new == 0 or round_ > 0):
            W, moved = second_look(problem, penalty, W, barred, ROUGH * tol * history.scale)
            if not moved:
                break
    W = down(W, tol, max_iter)
    return W, converged, done


def _let_in(
    problem: Problem,
    penalty: Penalty,
    W: np.ndarray,
    barred: np.ndarray,
    down: Callable[[np.ndarray, float, int], np.ndarray],
    tol: float,
) -> tuple[np.ndarray, int]:
    """Let terms in, the best first, until none helps; annotated terms before sparse ones."""
    n_new = 0
    for kind in ("annotated", "sparse"):
        candidates = Candidates(problem, penalty, barred | (penalty.kinds != kind))
        here = problem.at(W)
        while (found := candidates.best(here)) is not None:
            here, came_in = try_term(here, penalty, *found)
            candidates.bar(found[0])  # once per round: a term that fell again does not return
            if came_in:
                W, n_new = down(here.W, ROUGH * tol, STEPS), n_new + 1
                here = problem.at(W)
                if n_new % 10 == 0:
                    log.info("%d terms came in", n_new)
    return W, n_new

"""Terms that help only once the others have made room for them.

A term that is off comes in alone (:mod:`.forward`), the others staying as they are; so one that
shares its genes with a factor that is on may seem to bring nothing though F* + R would be lower
with both. So at the end those nearest to coming on, by their evidence, are let in all the same, at
the length that pays best, and everything descends from there. Only a gain that matters counts:
among solutions that differ by less, it is the way from nothing that makes the answer the same for
other cells of the same kind.
"""

from __future__ import annotations

import numpy as np

from .descent import Point, Problem, descend
from .evidence import evidence
from .forward import Candidates
from .penalties import Penalty, column_norms

LEAST_GAIN = 1e-3  # of F* + R
CANDIDATES = 8
STEPS = 40  # of descent, to see what comes of a candidate


def second_look(
    problem: Problem, penalty: Penalty, W: np.ndarray, barred: np.ndarray, tol: float
) -> tuple[np.ndarray, bool]:
    """Let in the first term nearby that makes F* + R lower, others having made room.

    Parameters
    ----------
    problem, penalty
        F* and R.
    W
        A minimum of F* + R, or nearly one; genes x terms.
    barred
        Terms that must stay off.
    tol
        Of the descent, as in :func:`intae.autoencoder.descent.descend`.

    Returns
    -------
    The new W, or the old one, and whether it is new.
    """
    here = problem.at(W)
    objective = here.data_term + penalty.value(W)
    open_ = (penalty.kinds == "annotated") & (column_norms(W) == 0) & ~barred
    near = np.where(open_, evidence(here, penalty), -np.inf)
    for term in np.argsort(-near, kind="stable")[: min(CANDIDATES, open_.sum())]:
        trial, _, _ = descend(
            problem, penalty, _with_term(here, penalty, term), tol=tol, max_iter=STEPS
        )
        value = problem.at(trial).data_term + penalty.value(trial)
        if value < (1 - LEAST_GAIN) * objective:
            return trial, True
    return W, False


def _with_term(here: Point, penalty: Penalty, term: int) -> np.ndarray:
    """Return W with a term that was off at its natural length."""
    candidates = Candidates(here.problem, penalty, np.zeros(here.W.shape[1], dtype=bool))
    candidates.look_at(here)
    W = here.W.copy()
    W[:, term] = candidates.at_natural_length(term)
    return W

"""Necessity: what it costs to do without a term, and which terms take its place.

For overlapping gene sets the data hardly decide which name an effect gets. A term that another can
replace at no cost is not a finding.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from ..prepared import join_terms
from .exact import minimise
from .objective import History, Problem, best_encoder
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)

N_STAND_INS = 3
LEAST_GROWTH = 0.05  # of the lost term's norm, to count as a stand-in
COLUMNS = ("rise", "carried", "stand_ins", "stand_in_growth", "stand_in_r")


def necessity(
    problem: Problem,
    penalty: Penalty,
    W: np.ndarray,
    names: pd.Index,
    *,
    scale: float,
    tol: float,
    max_iter: int,
) -> pd.DataFrame:
    """Forbid each active term in turn and refit the others from where they stand.

    A rise may be slightly negative: the fit is a local minimum, and the refit without the term has
    found a lower one with other terms. Such a term is not needed. The fit does not look for these
    minima: that takes two to three times the fit's own time, lowers F + R by 3e-4 on the Kang17
    subset, and on simulated data, where it lowers it by up to 2%, a term that stood for a
    confounder falls apart into several, and the planted terms are ranked a little worse.

    Parameters
    ----------
    problem, penalty
        F* and R.
    W
        The fit, genes x terms; descended from first, should it be no minimum.
    names
        Of the terms.
    scale, tol, max_iter
        Precision and length of each refit, as in :func:`intae.autoencoder.exact.minimise`.

    Returns
    -------
    One row per active term, the most necessary first; see :meth:`intae.Autoencoder.necessity`.
    """

    def refit(W: np.ndarray, barred: np.ndarray) -> tuple[np.ndarray, float]:
        history = History(penalty, scale)
        W, _, _ = minimise(
            problem, penalty, W, tol=tol, max_iter=max_iter, history=history, barred=barred
        )
        return W, history.rows[-1]["objective"]

    nobody = np.zeros(len(names), dtype=bool)
    W, objective = refit(W, nobody)
    norms, A = column_norms(W), best_encoder(W, problem.lambda0)
    active = np.flatnonzero(norms > 0)
    rows = []
    for number, term in enumerate(active, start=1):
        barred = nobody.copy()
        barred[term] = True
        left = np.where(barred, 0.0, W)
        without, height = refit(left, barred)
        growth = column_norms(without) - norms
        growth[term] = -np.inf
        best = [
            j for j in np.argsort(-growth)[:N_STAND_INS] if growth[j] > LEAST_GROWTH * norms[term]
        ]
        r = _correlations(problem.S, A[:, term], best_encoder(without, problem.lambda0)[:, best])
        rows.append(
            {
                "term": names[term],
                "rise": height - objective,
                "carried": problem.at(left).objective(penalty) - objective,
                "stand_ins": join_terms(names[best]),
                "stand_in_growth": " ".join(f"{growth[j] / norms[term]:.3g}" for j in best),
                "stand_in_r": float(r[0]) if best else np.nan,
            }
        )
        log.info(
            "necessity %d of %d: %s %.4f", number, len(active), names[term], height - objective
        )
    table = pd.DataFrame(rows, columns=["term", *COLUMNS])
    return table.set_index("term").sort_values("rise", ascending=False)


def _correlations(S: np.ndarray, a: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return |correlation| of the loadings A'y of one encoder column with those of others."""
    Sa = S @ a
    variances = np.einsum("gk,gk->k", others, S @ others)
    return abs(others.T @ Sa) / np.sqrt((a @ Sa) * variances)

"""What the data say for each term: evidence at once, and necessity after a refit.

How strongly the data decide that a term is on, or off, without any refit.

The norm of a term's weights says how large it is, not whether the data ask for this name: of two
nested sets one may be on with a large norm and the other off, though the other would do as well.
So each term is asked how much F* + R would rise if it changed sides, the rest staying as it is:

* an active one is left out, or gives its factor to a term that is off (:mod:`.naming`);
* one that is off comes in as a factor of its own (:mod:`.forward`), or takes the factor of an
  active one.

The cheaper way counts. A term that is on has that rise as its evidence, one that is off minus that
rise; near zero, on either side, the data hardly decide. :mod:`.necessity` is the same question for
active terms with the others refitted, which takes longer and can only find less.

What each term is needed for: what it costs to do without it, and which terms take its place.

For overlapping gene sets the data hardly decide which name an effect gets. A term that another can
replace at no cost is not a finding.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from ..prepared import join_terms
from .descent import Point, Problem
from .exact import minimise
from .history import History
from .moves import Candidates, factor_targets, name_gains
from .objective import best_encoder
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)


def evidence(here: Point, penalty: Penalty) -> np.ndarray:
    """Return the evidence for each term, in units of F + R.

    Parameters
    ----------
    here
        A minimum of F* + R.
    penalty
        R, over all terms.

    Returns
    -------
    One number a term: positive if it is on, negative if it is off (up to the precision of W).
    """
    n_terms = here.W.shape[1]
    on, known = column_norms(here.W) > 0, penalty.kinds == "annotated"
    candidates = Candidates(here.problem, penalty, np.zeros(n_terms, dtype=bool))
    candidates.look_at(here)
    rise = np.array([np.inf if on[k] else candidates.shortfall(k) for k in range(n_terms)])

    factors = np.flatnonzero(on)
    if len(factors):
        V, curvature = factor_targets(here, factors)
        for j, k in enumerate(factors):  # what is lost if the factor goes
            rise[k] = name_gains(V[:, [j]], curvature[[j]], penalty.take([k])).item()
        own, names = rise[factors], np.flatnonzero(known & ~on)
        named = known[factors]  # only annotated factors change their names, and among sets
        if len(names) and named.any():
            gains = name_gains(V[:, named], curvature[named], penalty.take(names))
            change = own[named] - gains  # names x factors
            rise[names] = np.minimum(rise[names], change.min(1))
            rise[factors[named]] = np.minimum(own[named], change.min(0))
    return np.where(on, rise, -rise)


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
    One row an active term, the most necessary first; see :meth:`intae.Autoencoder.necessity`.
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
        without, height = refit(np.where(barred, 0.0, W), barred)
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
                "carried": _height(problem, penalty, np.where(barred, 0.0, W)) - objective,
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


def _height(problem: Problem, penalty: Penalty, W: np.ndarray) -> float:
    """F* + R at W."""
    return problem.at(W).data_term + penalty.value(W)


def _correlations(S: np.ndarray, a: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return |correlation| of the loadings A'y of one encoder column with those of others."""
    Sa = S @ a
    variances = np.einsum("gk,gk->k", others, S @ others)
    return abs(others.T @ Sa) / np.sqrt((a @ Sa) * variances)

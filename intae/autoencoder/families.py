"""Families: terms among which the data cannot decide.

A term k fits the factor j of a fit if the factor could as well go by its name. With g_kj, how far
below w = 0 the factor gets under the name k at its loadings (:mod:`.moves`), and b_kj, how far it
would get if that set had no gene, the share of what its own name brings is kept that is

    fit_kj = (g_kj - b_kj) / (g_jj - b_jj)

A factor that no other name fits may still give way to several terms. So it is left out, and up to
three terms that are off and whose sets hold some of its weights come in, the best first. Each of
them that is then at least half as large as j was has

    fit_kj = 1 - (rise of F + R with them) / (rise of F + R without them)

as :mod:`.necessity` has it, with a few steps of descent in the place of all, and only for factors
of which such terms explain most while the other factors stay as they are.

A fit of at least nine tenths joins k to j. Active terms are gone through by relevance: each joins
the family of the leader that it fits best, or leads its own. So a family has the name of its most
relevant active term, every other active member fits that one, and no family grows along a chain. A
term that is off joins the family of the factor that it fits best. A family with several active
terms has as many factors; what the data do not decide is which of them has which name.

Names, labels and donors play no part, nor do the loadings of terms that are off. The rule was
chosen on the Kang17 subset: between halves of the donors (35 splits) the Jaccard index of what is
on is .79 by term, .89 by family, .84 by random families of the same sizes. Clusters of terms by the
correlation of read-outs of their genes, which would serve any model, gave .76 to .88 by their
settings, random ones .80 to .85; without the stand-ins the first rule alone gave .81.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from .descent import descend
from .moves import Candidates, factor_targets, name_gains, try_term
from .objective import Point, Problem, best_encoder
from .penalties import Penalty, column_norms

LEAST_FIT = 0.9
LEAST_SIZE = 0.5  # of a factor's norm, for a term to count as taking its place
LEAST_HELD = 0.05  # of a factor's squared weights, inside the set of a term that may do so
N_STAND_INS = 3
PROMISING = 0.7  # of what a factor brings, with the other factors as they are
STEPS = 5  # of descent after each of them comes in; twice as many at the end


def families(here: Point, penalty: Penalty, names: pd.Index) -> pd.DataFrame:
    """Group the terms of a fit into families.

    Parameters
    ----------
    here
        A minimum of F* + R, or nearly one.
    penalty
        R, over all terms.
    names
        Of the terms.

    Returns
    -------
    One row per term. family: the name of its leader; its own where nothing is like it. family_r:
    |correlation| of its loadings with those of the factor that it fits; of a term that is off,
    those that it would have in the factor's place; 1 for a leader and for a term by itself.
    """
    table, norms = alone(names), column_norms(here.W)
    known = np.flatnonzero(penalty.kinds == "annotated")  # they come first
    factors = known[norms[known] > 0]
    factors = factors[np.argsort(-norms[factors], kind="stable")]
    if not len(factors):
        return table
    leader, family_r = np.arange(len(names)), np.ones(len(names))
    fit, r = _fits(here, penalty, known, factors)
    leaders: list[int] = []
    for j, term in enumerate(factors):
        best = max(leaders, key=lambda i: fit[term, i], default=j)
        if fit[term, best] < LEAST_FIT:
            leaders.append(j)
        else:
            leader[term], family_r[term] = factors[best], r[term, best]
    best = fit.argmax(1)
    for term in known[(norms[known] == 0) & (fit.max(1) >= LEAST_FIT)]:
        leader[term], family_r[term] = leader[factors[best[term]]], r[term, best[term]]
    return table.assign(family=names[leader], family_r=family_r)


def alone(names: pd.Index) -> pd.DataFrame:
    """Return the same table with each term by itself, where a fit is no minimum."""
    return pd.DataFrame({"family": names, "family_r": 1.0}, index=names)


def _fits(
    here: Point, penalty: Penalty, known: np.ndarray, factors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how well each annotated term fits each factor, terms x factors, and |r| where it does.

    A factor's own name is left out.
    """
    sets, columns = penalty.take(known), np.arange(len(factors))
    bare = replace(sets, entries=np.full_like(sets.entries, sets.entries.max()))
    V, curvature = factor_targets(here, factors)
    gain = name_gains(V, curvature, sets) - name_gains(V, curvature, bare)
    own = gain[factors, columns]
    tells = own > 1e-9 * here.problem.total  # else any name does: nothing is penalised outside
    fit = np.where(tells, gain / np.where(tells, own, 1.0), 0.0)
    fit[factors, columns] = 0.0
    r = np.zeros_like(fit)

    active = np.flatnonzero(column_norms(here.W) > 0)
    W, lambda0, S = here.W[:, active], here.problem.lambda0, here.problem.S
    A = best_encoder(W, lambda0)
    explained = here.best.YZ @ here.W.T
    residual = S - explained - explained.T + here.W @ here.best.ZZ @ here.W.T
    for j, place in enumerate(np.searchsorted(active, factors)):
        for term in np.flatnonzero(fit[:, j] >= LEAST_FIT):
            if term in active:
                column = A[:, np.searchsorted(active, term)]
            else:
                renamed = W.copy()
                step = 1 / (2 * curvature[j])
                renamed[:, place] = sets.take([term]).prox(V[:, [j]], step)[:, 0]
                column = best_encoder(renamed, lambda0)[:, place]
            r[term, j] = _correlation(S, A[:, place], column)
        if fit[:, j].max() < LEAST_FIT:
            for term, value, column in _stand_ins(here, penalty, factors[j], residual):
                fit[term, j], r[term, j] = value, _correlation(S, A[:, place], column)
    return fit, r


def _stand_ins(
    here: Point, penalty: Penalty, factor: int, residual: np.ndarray
) -> list[tuple[int, float, np.ndarray]]:
    """Leave a factor out and let others in: (term, its fit, its encoder column) of each.

    Parameters
    ----------
    here, penalty
        The fit, and R.
    factor
        An active term.
    residual
        Covariance of what the fit leaves of the genes.
    """
    w, Z, problem = here.W[:, factor], here.best, here.problem
    inside = penalty.entries < penalty.entries.max()
    free = (penalty.kinds == "annotated") & (column_norms(here.W) == 0)
    near = np.flatnonzero(free & ((w**2) @ inside >= LEAST_HELD * (w @ w)))
    if not len(near):
        return []
    # in what the other factors leave, on the genes that matter: small, so that few go on
    genes = np.flatnonzero((w != 0) | inside[:, near].any(1))
    block, part = np.ix_(genes, near), w[genes]
    cross = np.outer(Z.YZ[genes, factor] - here.W[genes] @ Z.ZZ[:, factor], part)
    left = residual[np.ix_(genes, genes)] + cross + cross.T
    left += Z.ZZ[factor, factor] * np.outer(part, part)
    rest = Problem(left, problem.lambda0)
    own = Penalty(penalty.entries[genes][:, [factor]], penalty.groups[[factor]], penalty.kinds[:1])
    others = Penalty(penalty.entries[block], penalty.groups[near], penalty.kinds[near])
    whole = _down(rest.at(part[:, None]), own, 2 * STEPS)
    now = rest.at(np.zeros((len(genes), len(near))))
    candidates = Candidates(rest, others, np.zeros(len(near), dtype=bool))
    for _ in range(N_STAND_INS):
        found = candidates.best(now)
        if found is None:
            break
        now = _down(try_term(now, others, *found)[0], others, STEPS)
        candidates.bar(found[0])
    if rest.total - now.objective(others) < PROMISING * (rest.total - whole.objective(own)):
        return []
    # in the fit itself, where the other factors make room
    W, objective = here.W.copy(), here.objective(penalty)
    W[:, factor] = 0
    without = problem.at(W).objective(penalty)
    W[block] = now.W
    point = _down(problem.at(W), penalty, 2 * STEPS)
    fit = 1 - (point.objective(penalty) - objective) / (without - objective)
    A, norms = best_encoder(point.W, problem.lambda0), column_norms(point.W)
    large = near[norms[near] >= LEAST_SIZE * np.linalg.norm(w)]
    return [(int(term), float(fit), A[:, term]) for term in large]


def _down(here: Point, penalty: Penalty, steps: int) -> Point:
    """Return the point some steps of descent further."""
    return here.problem.at(descend(here.problem, penalty, here.W, tol=0.0, max_iter=steps)[0])


def _correlation(S: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Return |correlation| of the loadings a'y and b'y; 0 where one does not vary."""
    size = np.sqrt((a @ S @ a) * (b @ S @ b))
    return float(abs(a @ S @ b) / size) if size > 0 else 0.0

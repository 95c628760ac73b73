"""The moves of the exact solver: a term comes in, a factor changes its name, a second look.

Each move lowers F* + R; :mod:`.exact` says when each is made. At the end the same quantities say
how strongly the data decide for each term: its evidence.

*A term comes in* (:class:`Candidates`, :func:`try_term`). A term that is off is a stationary point
for any penalty (its loadings are zero, so its gradient is), whatever it could explain if it were
on; descent alone can only switch terms off. So each term that is off is asked what it would bring
if it came in whole. With a new column w,

    F*(W) - F*([W, w]) = w'E w / (l0 + w'(I - A W') w)

where E is the covariance of the residuals y - W z. w is tried along the leading eigenvector of E
within the term's gene set, at the length that pays best after the group penalty.

*A factor changes its name* (:func:`rename`). Permuting columns leaves F*(W) as it is, and R alone
tells whether a factor is better called by a set's name or by that of a set inside it. For a factor
with the loadings' variance c = (Z'Z/N)_jj, F at fixed loadings is c |w - v|^2 + const in its column
w, where v is what least squares would make it. Under the name k, with
u = soft_threshold(v, entries_k / 2c), the minimum lies

    c (|u| - groups_k / 2c)_+^2

below that of w = 0, and is taken at the proximal map of R_k. So all names of all factors are
compared by one product of matrices, and a change of name that gains here lowers F* + R for sure,
since F* lies below F at fixed loadings.

*A second look* (:func:`second_look`). A term comes in alone, the others staying as they are; so one
that shares its genes with a factor that is on may seem to bring nothing though F* + R would be
lower with both. So at the end those nearest to coming on, by their evidence, are let in all the
same, at the length that pays best, and everything descends from there. Only a gain that matters
counts: among solutions that differ by less, it is the way from nothing that makes the answer the
same for other cells of the same kind.

*Evidence* (:func:`evidence`). The norm of a term's weights says how large it is, not whether the
data ask for this name: of two nested sets one may be on with a large norm and the other off, though
the other would do as well. So each term is asked how much F* + R would rise if it changed sides,
the rest staying as it is: an active one is left out, or gives its factor to a term that is off; one
that is off comes in as a factor of its own, or takes the factor of an active one. The cheaper way
counts. A term that is on has that rise as its evidence, one that is off minus that rise; near zero,
on either side, the data hardly decide. :mod:`.necessity` asks the same for active terms with the
others refitted, which takes longer and can only find less.
"""

from __future__ import annotations

import logging
from functools import cache

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.lapack import dsyevr, dsyevr_lwork
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from .descent import descend
from .objective import Point, Problem, best_encoder
from .penalties import Penalty, column_norms, soft_threshold

log = logging.getLogger(__name__)

LANCZOS = 140  # genes, from which on it is quicker
LENGTHS = np.geomspace(0.3, 30, 80)  # tried lengths of w, in units of sqrt(l0)
LEAST_GAIN = 1e-6  # of F* + R, to change a name
LEAST_GAIN_TO_ENTER = 1e-3  # of F* + R, for a term to come in at a second look
CANDIDATES = 8  # terms tried at a second look
STEPS = 40  # of descent, to see what comes of one of them


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
        off = np.ones(here.W.shape[1], dtype=bool)
        off[here.on] = False
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
        self.W, best = here.W_on, here.best_on
        self.A = best_encoder(self.W, self.problem.lambda0)
        # E = S - YZ W' - W (YZ - W ZZ)', of which only the sets that are asked for are computed
        self.YZ = best.YZ
        self.rest = self.YZ - self.W @ best.ZZ

    def _residual(self, genes: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return E among some genes."""
        S = self.problem.S
        E = S[np.ix_(genes, genes)] if isinstance(genes, np.ndarray) else S.copy()
        W = self.W[genes]
        E -= self.YZ[genes] @ W.T
        E -= W @ self.rest[genes].T
        return E

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
        value, u = leading_direction(self._residual(genes))
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
        _, vector = leading_direction(self._residual())
        order = np.argsort(-abs(vector), kind="stable")
        return [np.sort(order[:size]) for size in (5, 10, 20, 40, 80, 160) if size <= len(order)]


def leading_direction(E: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the largest eigenvalue of a covariance and its eigenvector.

    By Lanczos steps where it is large, which start at the mean direction and so end the same every
    time (Lehoucq et al. 1998); in full where it is small, or where they do not converge.
    """
    if len(E) >= LANCZOS and E.any():
        try:
            values, vectors = eigsh(E, k=1, which="LA", v0=np.ones(len(E)))
            return float(values[0]), vectors[:, 0]
        except ArpackNoConvergence:
            log.debug("Lanczos steps did not converge for %d genes", len(E))
    # what scipy.linalg.eigh calls; of few genes its own checks take longer than LAPACK does
    n, (lwork, liwork) = len(E), _workspace(len(E))
    values, vectors, _, _, failed = dsyevr(
        E, range="I", il=n, iu=n, lower=1, lwork=lwork, liwork=liwork
    )
    if failed:
        values, vectors = eigh(E)
        return float(values[-1]), vectors[:, -1]
    return float(values[0]), vectors[:, 0]


@cache
def _workspace(n: int) -> tuple[int, int]:
    """Return the sizes of the two arrays that LAPACK works in."""
    lwork, liwork, _ = dsyevr_lwork(n, lower=1)
    return int(lwork), int(liwork)


def try_term(here: Point, penalty: Penalty, term: int, column: np.ndarray) -> tuple[Point, bool]:
    """Let a term in, if F* + R is lower then.

    Returns
    -------
    The new point, or the old one, and whether the term came in.
    """
    new = here.with_column(term, column)
    if new.objective(penalty) < here.objective(penalty):
        return new, True
    return here, False


def rename(here: Point, penalty: Penalty, barred: np.ndarray) -> tuple[Point, int]:
    """Move annotated factors to better fitting terms that are off, the best move first.

    Parameters
    ----------
    here
        W and what is known there.
    penalty
        R, over all terms.
    barred
        Terms that must stay off.

    Returns
    -------
    A point with F* + R no higher, and the number of moves.
    """
    known = penalty.kinds == "annotated"
    moves = 0
    while True:
        alive = column_norms(here.W) > 0
        factors, names = np.flatnonzero(known & alive), np.flatnonzero(known & ~alive & ~barred)
        if not len(factors) or not len(names):
            return here, moves
        V, curvature = factor_targets(here, factors)
        gain = name_gains(V, curvature, penalty.take(names))
        gain -= [
            name_gains(V[:, [j]], curvature[[j]], penalty.take([k])).item()
            for j, k in enumerate(factors)
        ]  # fmt: skip
        name, factor = np.unravel_index(gain.argmax(), gain.shape)
        objective = here.objective(penalty)
        if gain[name, factor] <= LEAST_GAIN * objective:
            return here, moves
        W = here.W.copy()
        W[:, factors[factor]] = 0
        step = 1 / (2 * curvature[factor])
        W[:, names[name]] = penalty.take([names[name]]).prox(V[:, [factor]], step)[:, 0]
        here, moves = here.problem.at(W), moves + 1


def factor_targets(here: Point, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return v of each factor, genes x factors, and c, the variance of its loadings."""
    best, curvature = here.best, np.diag(here.best.ZZ)[factors]
    gradient = 2 * (here.W @ best.ZZ[:, factors] - best.YZ[:, factors])
    return here.W[:, factors] - gradient / (2 * curvature), curvature


def name_gains(V: np.ndarray, curvature: np.ndarray, names: Penalty) -> np.ndarray:
    """Return how far below w = 0 each factor can get under each name, names x factors.

    |u|^2 is a sum over genes, and the genes of all names share few thresholds: one inside sets and
    one outside. So each threshold is applied once, and a product with its genes does the sums.
    """
    entries, squares = names.entries, 0.0
    for level in np.unique([entries.min(0), entries.max(0)]):  # a column has no more than two
        U = soft_threshold(V, level / (2 * curvature))
        squares = squares + (entries == level).T.astype(float) @ (U * U)
    beyond = np.sqrt(squares) - names.groups[:, None] / (2 * curvature)
    return curvature * beyond.clip(0) ** 2


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
    One number per term: positive if it is on, negative if it is off (up to the precision of W).
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
    objective = here.objective(penalty)
    open_ = (penalty.kinds == "annotated") & (column_norms(W) == 0) & ~barred
    near = np.where(open_, evidence(here, penalty), -np.inf)
    candidates = Candidates(problem, penalty, np.zeros(W.shape[1], dtype=bool))
    candidates.look_at(here)
    for term in np.argsort(-near, kind="stable")[: min(CANDIDATES, open_.sum())]:
        start = W.copy()
        start[:, term] = candidates.at_natural_length(term)
        trial, _, _ = descend(problem, penalty, start, tol=tol, max_iter=STEPS, every=2)
        if problem.at(trial).objective(penalty) < (1 - LEAST_GAIN_TO_ENTER) * objective:
            return trial, True
    return W, False

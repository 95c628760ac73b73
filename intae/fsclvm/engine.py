"""A fit from its start to its end: its factors, their prior, their order, and when it stops."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..progress import Ticker
from .moves import rename
from .updates import Posterior, Problem, elbo, settle, sweep

log = logging.getLogger(__name__)

PI_MEMBER = 0.99  # prior of membership of the genes that a factor is meant to touch
PI_WIDE, PI_SPARSE, PI_OTHER = 0.99, 0.01, 0.001  # of the others: dense, sparse, annotated
N_SCALE = 100.0  # slalom scales the log-odds of genes outside a set with N / 100
ON_SCALE = 10000.0  # and of those inside with N / 10,000, once that is above 1
CHECK_EVERY = 10  # sweeps between two looks at the bound
SLALOM_TOLERANCE, SLALOM_MIN_SWEEPS, SLALOM_CHECK_EVERY = 1e-8, 700, 100


@dataclass
class Layout:
    """The order of the factors: slalom's inside (covariates, dense, sparse, annotated).

    Attributes
    ----------
    n_known, n_dense, n_sparse, n_annotated
        How many there are of each.
    """

    n_known: int
    n_dense: int
    n_sparse: int
    n_annotated: int

    @property
    def first_annotated(self) -> int:
        """Index of the first annotated term."""
        return self.n_known + self.n_dense + self.n_sparse

    @property
    def n_factors(self) -> int:
        """Number of all factors, K, covariates among them."""
        return self.first_annotated + self.n_annotated

    @property
    def table(self) -> np.ndarray:
        """Index of each term in the order of our tables: annotated, sparse, dense."""
        parts = np.split(
            np.arange(self.n_known, self.n_factors), np.cumsum([self.n_dense, self.n_sparse])
        )
        return np.concatenate(parts[::-1])


def all_members(
    annotations: np.ndarray, sparse_genes: list[np.ndarray], layout: Layout
) -> np.ndarray:
    """Say which genes each factor is meant to touch.

    Parameters
    ----------
    annotations
        G x annotated terms, 0/1.
    sparse_genes
        Genes that each sparse factor starts from.
    layout
        Of the factors.

    Returns
    -------
    G x K, bool; covariates and dense factors touch all genes.
    """
    members = np.ones((len(annotations), layout.n_factors), dtype=bool)
    wide = layout.n_known + layout.n_dense
    members[:, wide : layout.first_annotated] = False
    for k, genes in enumerate(sparse_genes, start=wide):
        members[genes, k] = True
    members[:, layout.first_annotated :] = annotations > 0
    return members


def prior(members: np.ndarray, layout: Layout) -> np.ndarray:
    """Prior probability of membership as slalom sets it, G x K."""
    sizes = layout.n_known + layout.n_dense, layout.n_sparse, layout.n_annotated
    return np.where(members, PI_MEMBER, np.repeat([PI_WIDE, PI_SPARSE, PI_OTHER], sizes))


def scaled_log_odds(pi: np.ndarray, n_cells: int, first_annotated: int) -> np.ndarray:
    """log(pi / (1 - pi)), for annotated terms scaled with N as slalom does it: G x K."""
    log_odds = np.log(pi / (1.0 - pi))
    if n_cells > N_SCALE:
        known = log_odds[:, first_annotated:]
        known[known < 0] *= n_cells / N_SCALE
        known[known > 0] *= max(1.0, n_cells / ON_SCALE)
    return log_odds


def orders_slalom(
    layout: Layout, n_sweeps: int, rng: np.random.RandomState
) -> Iterator[np.ndarray]:
    """Yield slalom's order of updates: as they are first, then shuffled twice each sweep."""
    known = np.arange(layout.n_known)
    terms = np.arange(layout.n_known, layout.n_factors)
    if n_sweeps == 0:
        yield np.arange(layout.n_factors)
    while True:
        yield np.concatenate([known, rng.permutation(rng.permutation(terms))])


class SlalomRule:
    """slalom's rule: stop when the mean absolute residual moves by less than 1e-8.

    It is looked at after every 100th sweep, which takes a pass over the cells, and never stops a
    fit before its 702nd sweep.
    """

    def __init__(self, error: Callable[[Posterior], float]) -> None:
        self.error = error
        self.before = self.now = np.inf

    def __call__(self, q: Posterior, bound: float) -> bool:
        """Return whether to stop after this sweep."""
        last = q.n_sweeps - 1  # slalom counts sweeps from 0
        if last % SLALOM_CHECK_EVERY == 0 and last + 2 * SLALOM_CHECK_EVERY > SLALOM_MIN_SWEEPS:
            self.before, self.now = self.now, self.error(q)
        return last > SLALOM_MIN_SWEEPS and abs(self.before - self.now) < SLALOM_TOLERANCE


class BoundRule:
    """Stop when the bound rises by less than `tol` of itself per sweep. It needs no cells."""

    def __init__(self, tol: float) -> None:
        self.tol = tol
        self.before, self.sweeps = -np.inf, 0

    def __call__(self, q: Posterior, bound: float) -> bool:
        """Return whether to stop after this sweep; `bound` is NaN where it was not looked at."""
        if np.isnan(bound):
            return False
        rise = (bound - self.before) / (q.n_sweeps - self.sweeps)
        self.before, self.sweeps = bound, q.n_sweeps
        return bool(rise < self.tol * abs(bound))


def climb(
    problem: Problem,
    q: Posterior,
    orders: Iterator[np.ndarray],
    tol: float,
    max_iter: int,
    first: int,
) -> tuple[pd.DataFrame, bool]:
    """Sweep until the bound stays, then try other names, until no name raises it; changes `q`.

    Parameters
    ----------
    problem, q, orders, max_iter
        As for :func:`iterate`; `max_iter` counts the sweeps of all rounds.
    tol
        Of :class:`BoundRule`.
    first
        Index of the first annotated term.

    Returns
    -------
    As of :func:`iterate`; the time of the moves is in the round that follows them.
    """
    histories, left, start = [], max_iter, time.perf_counter()
    while True:
        begun = time.perf_counter() - start
        history, converged = iterate(problem, q, orders, BoundRule(tol), left)
        history["seconds"] += begun
        histories.append(history)
        left -= len(history)
        if not converged or left <= 0:
            break
        moved = rename(problem, q, first)
        if not moved:
            break
        log.info("%d factors go on under other names", moved)
    return pd.concat(histories, ignore_index=True), converged


def iterate(
    problem: Problem,
    q: Posterior,
    orders: Iterator[np.ndarray],
    stop: Callable[[Posterior, float], bool],
    max_iter: int,
) -> tuple[pd.DataFrame, bool]:
    """Sweep until the rule or `max_iter` ends it; changes `q` in place.

    Returns
    -------
    history
        One row per sweep: iteration, elbo (every 10 sweeps and at the end, NaN between), n_active
        and seconds since the call.
    converged
        Whether the rule ended it.
    """
    rows, converged = [], False
    start, ticker = time.perf_counter(), Ticker()
    for i in range(1, max_iter + 1):
        sweep(problem, q, next(orders))
        bound = elbo(problem, q) if i % CHECK_EVERY == 0 or i == max_iter else np.nan
        converged = stop(q, bound)
        if converged and np.isnan(bound):
            bound = elbo(problem, q)
        now = time.perf_counter()
        active = int(q.on[problem.n_known :].sum())
        rows.append((q.n_sweeps, bound, active, now - start))
        if ticker.due():
            log.info("sweep %d, %d terms on, %.0f s so far", q.n_sweeps, active, now - start)
        if converged:
            break
    history = pd.DataFrame(rows, columns=["iteration", "elbo", "n_active", "seconds"])
    if not problem.as_slalom:  # so that the loadings are those of `transform`
        settle(problem, q)
        history.loc[history.index[-1], "elbo"] = elbo(problem, q)
    return history, converged

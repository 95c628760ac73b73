"""Where a fit starts: the annotation, slalom's start, or the end of another fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from ..moments import Moments, second_moments
from .layout import Layout, orders_shuffled, orders_slalom
from .slalom_start import prior_slalom, scaled_log_odds, start_slalom
from .updates import Posterior, Problem

PART = 0.7  # of a set's genes, in a random start


@dataclass
class Start:
    """All that a fit needs, from which it never looks at a cell again.

    Attributes
    ----------
    problem, q, orders
        What is given, where the posterior starts, and the order of updates of each sweep.
    mean
        Mean of each gene, (G,).
    extra
        The columns S0 beside the genes, N x E.
    rng
        The generator behind `orders` where it is slalom's, else None.
    number
        Which of several starts it is.
    """

    problem: Problem
    q: Posterior
    orders: Iterator[np.ndarray]
    mean: np.ndarray
    extra: np.ndarray
    rng: np.random.RandomState | None = None
    number: int = 0


def slalom_start(X, annotations: np.ndarray, known: np.ndarray, layout: Layout, seed: int) -> Start:
    """Start as slalom does, from the same draws. All starting factors are columns of S0."""
    moments = second_moments(X)
    pi = _prior(moments, annotations, layout, seed)
    rng = np.random.RandomState(seed)  # slalom seeds twice: before the prior, before the start
    S0, C, W = start_slalom(X, moments, pi, known, layout, rng)
    moments = second_moments(X, S0)
    q = _posterior(C, W, _identity(len(pi), S0.shape[1]))
    problem = _problem(moments, S0, pi, layout, as_slalom=True)
    return _ready(problem, q, orders_slalom(layout, 0, rng), moments, S0, rng)


def annotation_starts(
    X, annotations: np.ndarray, known: np.ndarray, layout: Layout, n_init: int, seed: int
) -> Iterator[Start]:
    """Yield the start from the annotation, then random ones. They share one pass over X."""
    moments = second_moments(X, known)
    pi = _prior(moments, annotations, layout, seed)
    gram = moments.gram[: len(pi), : len(pi)]
    problem = _problem(moments, known, pi, layout, as_slalom=False)
    for i in range(n_init):
        rng = np.random.default_rng([seed, i])
        A, C, W = start_annotation(gram, len(known), pi, layout, rng if i else None)
        yield _ready(
            problem,
            _posterior(C, W, A),
            orders_shuffled(layout, 0, (seed, i)),
            moments,
            known,
            number=i,
        )


def resumed_start(
    X,
    annotations: np.ndarray,
    known: np.ndarray,
    layout: Layout,
    seed: int,
    state: dict[str, Any],
    S: np.ndarray,
) -> Start:
    """Start where a fit ended: its loadings S (N x terms, the factors' order) are S0."""
    S0 = np.hstack([known, S])
    moments = second_moments(X, S0)
    pi = _prior(moments, annotations, layout, seed)
    q = Posterior(
        *(np.array(state[name]) for name in ("C", "W", "E2", "alpha", "d", "eps")),
        A=_identity(len(pi), S0.shape[1]),
        on=np.array(state["on"], dtype=bool),
        n_sweeps=int(state["n_sweeps"]),
    )
    as_slalom = len(state["rng"]) > 0
    problem = _problem(moments, S0, pi, layout, as_slalom=as_slalom)
    if not as_slalom:
        number = int(state["number"])
        orders = orders_shuffled(layout, q.n_sweeps, (seed, number))
        return _ready(problem, q, orders, moments, S0, number=number)
    rng = np.random.RandomState()
    rng.set_state(("MT19937", np.array(state["rng"][:-1], np.uint32), int(state["rng"][-1])))
    return _ready(problem, q, orders_slalom(layout, q.n_sweeps, rng), moments, S0, rng)


def state_of(start: Start) -> dict[str, Any]:
    """Return the posterior as plain arrays, from which a fit can go on and be saved."""
    names = ("C", "W", "E2", "alpha", "d", "eps", "on", "n_sweeps")
    state = {name: getattr(start.q, name) for name in names}
    state |= {"mean": start.mean, "rng": _rng_state(start.rng), "number": start.number}
    return state


def _rng_state(rng: np.random.RandomState | None) -> np.ndarray:
    """Return a generator's state as one array of integers, empty for None."""
    if rng is None:
        return np.zeros(0, dtype=np.int64)
    _, keys, position, *_ = rng.get_state()
    return np.append(keys.astype(np.int64), position)


def _prior(moments: Moments, annotations: np.ndarray, layout: Layout, seed: int) -> np.ndarray:
    variance = np.diag(moments.gram)[: moments.n_genes]
    return prior_slalom(annotations, variance, layout, np.random.RandomState(seed))


def _identity(n_genes: int, n_extra: int) -> np.ndarray:
    return np.vstack([np.zeros((n_genes, n_extra)), np.eye(n_extra)])


def _posterior(C: np.ndarray, W: np.ndarray, A: np.ndarray) -> Posterior:
    G, K = C.shape
    d, on = np.full(K, 0.5), np.ones(K, dtype=bool)
    return Posterior(C, W, W**2, np.ones(K), d, np.ones(G), A, on)


def _problem(
    moments: Moments, extra: np.ndarray, pi: np.ndarray, layout: Layout, *, as_slalom: bool
) -> Problem:
    return Problem(
        moments.gram,
        moments.n_cells,
        moments.n_genes,
        extra.mean(0),
        scaled_log_odds(pi, moments.n_cells, layout.first_annotated),
        layout.n_known,
        as_slalom,
    )


def _ready(
    problem: Problem,
    q: Posterior,
    orders: Iterator[np.ndarray],
    moments: Moments,
    extra: np.ndarray,
    rng: np.random.RandomState | None = None,
    number: int = 0,
) -> Start:
    q.refresh(problem, np.arange(q.A.shape[1]))
    return Start(problem, q, orders, moments.mean, extra, rng, number)


def start_annotation(
    gram: np.ndarray,
    n_cells: int,
    pi: np.ndarray,
    layout: Layout,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start from the annotation: each term at the first component of its genes.

    Dense factors start at the leading components of all genes. All of it follows from the Gram
    matrix, so that no cell is looked at.

    Parameters
    ----------
    gram
        Y'Y of the centred genes, G x G.
    n_cells
        N.
    pi
        Prior of membership, G x K.
    layout
        Of the factors.
    rng
        None for the one start that is not random; else each component is that of a random part
        of its genes, and the weights start at random numbers, as in slalom.

    Returns
    -------
    A ((G + covariates) x K, with S0 = [Y, covariates] A of unit variance), C (G x K), W (G x K).
    """
    G, K = pi.shape
    known = np.arange(layout.n_known)
    A = np.zeros((G + layout.n_known, K))
    A[G + known, known] = 1.0
    for i in range(layout.n_dense):
        A[:G, layout.n_known + i] = _component(gram, np.arange(G), n_cells, rank=i)
    for k in range(layout.n_known + layout.n_dense, K):
        genes = np.flatnonzero(pi[:, k] > 0.5)
        if rng is not None and len(genes) > 1:
            genes = rng.permutation(genes)[: max(1, round(PART * len(genes)))]
        A[:G, k] = _component(gram, genes, n_cells)
    C = np.clip(pi, 0.1, 0.9)
    W = np.zeros((G, K)) if rng is None else rng.standard_normal((G, K)) / np.sqrt(K)
    return A, C, W


def _component(gram: np.ndarray, genes: np.ndarray, n_cells: int, rank: int = 0) -> np.ndarray:
    """Coefficients (G,) of a principal component of some genes, scaled to unit variance."""
    coefficients = np.zeros(len(gram))
    at = len(genes) - 1 - rank
    if at < 0:
        return coefficients
    value, vector = eigh(gram[np.ix_(genes, genes)], subset_by_index=[at, at])
    if value[0] > 0:  # genes that do not vary have no component
        coefficients[genes] = vector[:, 0] * np.sqrt(n_cells / value[0])
    return coefficients

"""Where a fit starts: the annotation, slalom's start, or the end of another fit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..prepared import ContractError, Moments, second_moments
from .annotation_start import choose_sparse_genes, first_components, first_weights
from .layout import Layout, orders_slalom
from .slalom_start import draw_sparse_genes, prior_slalom, scaled_log_odds, start_slalom
from .updates import MAX_EPS, Posterior, Problem


@dataclass
class Start:
    """All that a fit needs, from which it never looks at a cell again.

    Attributes
    ----------
    problem, q, orders
        What is given, where the posterior starts, and the order of updates of each sweep.
    order
        The order of the first sweep.
    mean
        Mean of each gene, (G,).
    extra
        The columns S0 beside the genes, N x E.
    members
        The genes a factor is meant to touch, by its prior: G x K, bool.
    rng
        The generator behind `orders` where it is slalom's, else None.
    """

    problem: Problem
    q: Posterior
    orders: Iterator[np.ndarray]
    order: np.ndarray
    mean: np.ndarray
    extra: np.ndarray
    members: np.ndarray
    rng: np.random.RandomState | None = None


def slalom_start(X, annotations: np.ndarray, known: np.ndarray, layout: Layout, seed: int) -> Start:
    """Start as slalom does, from the same draws. All starting factors are columns of S0."""
    moments = _moments(X)
    rng = np.random.RandomState(seed)
    pi = prior_slalom(annotations, draw_sparse_genes(np.diag(moments.gram), layout, rng), layout)
    rng = np.random.RandomState(seed)  # slalom seeds again between the prior and the start
    S0, C, W = start_slalom(X, moments, pi, known, layout, rng)
    moments = _moments(X, S0)
    problem = _problem(moments, S0, pi, layout, as_slalom=True)
    A = np.vstack([np.zeros_like(pi), np.eye(S0.shape[1])])
    q = _posterior(C, W, A, np.ones(len(pi)))
    q.refresh(problem)
    order = np.arange(layout.n_factors)
    return Start(problem, q, orders_slalom(layout, 0, rng), order, moments.mean, S0, pi > 0.5, rng)


def annotation_starts(
    X, annotations: np.ndarray, known: np.ndarray, layout: Layout, n_init: int, seed: int
) -> Iterator[Start]:
    """Yield the start from the annotation, then ones from random parts of it.

    They share one pass over X. Nothing in the first is random.
    """
    moments = _moments(X, known)
    G = moments.n_genes
    gram = moments.gram[:G, :G]
    pi = prior_slalom(annotations, choose_sparse_genes(gram, layout), layout)
    problem = _problem(moments, known, pi, layout, as_slalom=False)
    for i in range(n_init):
        rng = np.random.default_rng([seed, i]) if i else None
        A, order = first_components(gram, moments.n_cells, pi, layout, rng)
        variance = np.maximum(np.diag(gram) / moments.n_cells, 1.0 / MAX_EPS)
        q = _posterior(np.clip(pi, 0.1, 0.9), np.zeros_like(pi), A, 1.0 / variance)
        q.d[: layout.n_known] = 0.0  # an observed factor has no variance
        q.refresh(problem)
        q.W = first_weights(problem, q, pi > 0.5)
        q.CW = q.C * q.W
        yield Start(problem, q, itertools.repeat(order), order, moments.mean, known, pi > 0.5)


def resumed_start(
    X, known: np.ndarray, layout: Layout, state: dict[str, Any], S: np.ndarray
) -> Start:
    """Start where a fit ended: its loadings S (N x terms, the factors' order) are S0."""
    S0 = np.hstack([known, S])
    moments = _moments(X, S0)
    members = np.array(state["members"], dtype=bool)
    q = Posterior(
        *(np.array(state[name]) for name in ("C", "W", "E2", "alpha", "d", "eps")),
        A=np.vstack([np.zeros_like(state["C"]), np.eye(S0.shape[1])]),
        on=np.array(state["on"], dtype=bool),
        n_sweeps=int(state["n_sweeps"]),
    )
    pi = prior_slalom(
        members[:, layout.first_annotated :],
        [
            np.flatnonzero(m)
            for m in members.T[layout.n_known + layout.n_dense :][: layout.n_sparse]
        ],
        layout,
    )
    problem = _problem(moments, S0, pi, layout, as_slalom=len(state["rng"]) > 0)
    q.refresh(problem)
    order, rng = np.array(state["order"], dtype=int), None
    orders = itertools.repeat(order)
    if problem.as_slalom:
        rng = np.random.RandomState()
        rng.set_state(("MT19937", state["rng"][:-1].astype(np.uint32), int(state["rng"][-1])))
        orders = orders_slalom(layout, q.n_sweeps, rng)
    return Start(problem, q, orders, order, moments.mean, S0, members, rng)


def state_of(start: Start) -> dict[str, Any]:
    """Return the posterior as plain arrays, from which a fit can go on and be saved."""
    names = ("C", "W", "E2", "alpha", "d", "eps", "on", "n_sweeps")
    state = {name: getattr(start.q, name) for name in names}
    return state | {
        "mean": start.mean,
        "members": start.members,
        "order": start.order,
        "rng": _rng_state(start.rng),
    }


def _rng_state(rng: np.random.RandomState | None) -> np.ndarray:
    """Return a generator's state as one array of integers, empty for None."""
    if rng is None:
        return np.zeros(0, dtype=np.int64)
    _, keys, position, *_ = rng.get_state()
    return np.append(keys.astype(np.int64), position)


def _moments(X, extra: np.ndarray | None = None) -> Moments:
    moments = second_moments(X, extra)
    if not np.isfinite(moments.gram).all():
        msg = "X: not all values are finite; intae.prepared.check_prepared names the first"
        raise ContractError(msg)
    return moments


def _posterior(C: np.ndarray, W: np.ndarray, A: np.ndarray, eps: np.ndarray) -> Posterior:
    K = C.shape[1]
    return Posterior(
        C, W, W**2, alpha=np.ones(K), d=np.full(K, 0.5), eps=eps, A=A, on=np.ones(K, dtype=bool)
    )


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

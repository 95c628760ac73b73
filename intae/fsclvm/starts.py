"""Where a fit starts: the annotation, slalom's start, or the end of another fit.

Which local optimum f-scLVM ends in depends on what comes first. On data simulated with Reactome's
overlapping sets, terms updated in an order of falling strength for their size, from weights that
share each gene among its terms, ended at a higher bound and nearer to the truth than slalom's
kind of start (`benchmarks/fsclvm_starts.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import eigh
from sklearn.decomposition import PCA
from sklearn.utils.extmath import randomized_svd

from ..chunks import is_in_memory, iter_chunks
from ..errors import IntaeError
from ..moments import Moments, second_moments
from .engine import Layout, all_members, orders_slalom, prior, scaled_log_odds
from .updates import MAX_EPS, Posterior, Problem

SPARSE_POOL, SPARSE_GENES = 100, 20  # genes a sparse factor starts from, of the most variable
PART = 0.7  # of a set's genes, in a random start
RANDOMISED, ITERATIONS = 500, 2  # cells from which slalom's PCA is randomised, and its iterations


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
    scale
        What each gene is divided by in all the others but `mean`, (G,).
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
    scale: np.ndarray
    rng: np.random.RandomState | None = None


def annotation_starts(
    X,
    annotations: np.ndarray,
    known: np.ndarray,
    layout: Layout,
    n_init: int,
    seed: int,
    *,
    unit: bool = False,
) -> Iterator[Start]:
    """Yield the start from the annotation, then ones from random parts of it.

    They share one pass over X. Nothing in the first is random. `unit`: genes at unit variance.
    """
    moments = second_moments(X, known)
    G, scale = moments.n_genes, np.ones(moments.n_genes)
    if unit:
        moments, scale = moments.at_unit_variance()
    gram = moments.gram[:G, :G]
    members = all_members(annotations, choose_sparse_genes(gram, layout), layout)
    problem = _problem(moments, known, members, layout, as_slalom=False)
    for i in range(n_init):
        rng = np.random.default_rng([seed, i]) if i else None
        A, order = first_components(gram, moments.n_cells, members, layout, rng)
        variance = np.maximum(np.diag(gram) / moments.n_cells, 1.0 / MAX_EPS)
        C = np.clip(prior(members, layout), 0.1, 0.9)
        q = _posterior(C, np.zeros_like(C), A, 1.0 / variance)
        q.d[: layout.n_known] = 0.0  # an observed factor has no variance
        q.refresh(problem)
        q.W = first_weights(problem, q, members)
        q.CW = q.C * q.W
        yield Start(problem, q, itertools.repeat(order), order, moments.mean, known, members, scale)


def slalom_start(X, annotations: np.ndarray, known: np.ndarray, layout: Layout, seed: int) -> Start:
    """Start as slalom does, from the same draws.

    Its components are linear in the genes, so only covariates and factors that are drawn cell by
    cell are columns of S0, which take a second pass over X.
    """
    moments = second_moments(X)
    rng = np.random.RandomState(seed)
    pool = sparse_pool(np.diag(moments.gram), layout)
    sparse_genes = [rng.choice(pool, SPARSE_GENES, replace=False) for _ in range(layout.n_sparse)]
    members = all_members(annotations, sparse_genes, layout)
    rng = np.random.RandomState(seed)  # slalom seeds again between the prior and the start
    drawn = _slaloms_draws(X, moments, prior(members, layout), layout, rng)
    of_cells = sorted(drawn.columns)
    S0 = np.hstack([known, *(drawn.columns[k][:, None] for k in of_cells)])
    if S0.shape[1]:
        moments = second_moments(X, S0)
    A = np.vstack([drawn.A, np.zeros((S0.shape[1], layout.n_factors))])
    A[moments.n_genes + np.arange(S0.shape[1]), [*range(layout.n_known), *of_cells]] = 1.0
    problem = _problem(moments, S0, members, layout, as_slalom=True)
    q = _posterior(drawn.C, drawn.W, A, np.ones(moments.n_genes))
    q.refresh(problem)
    order = np.arange(layout.n_factors)
    orders = orders_slalom(layout, 0, rng)
    scale = np.ones(moments.n_genes)
    return Start(problem, q, orders, order, moments.mean, S0, members, scale, rng)


def resumed_start(
    X, known: np.ndarray, layout: Layout, state: dict[str, Any], S: np.ndarray
) -> Start:
    """Start where a fit ended: its loadings S (N x terms, the factors' order) are S0."""
    S0 = np.hstack([known, S])
    scale = np.array(state["scale"])
    moments = second_moments(X, S0).divided_by(scale)
    members = np.array(state["members"], dtype=bool)
    q = Posterior(
        *(np.array(state[name]) for name in ("C", "W", "E2", "alpha", "d", "eps")),
        A=_coefficients_of(S0, moments.n_genes),
        on=np.array(state["on"], dtype=bool),
        n_sweeps=int(state["n_sweeps"]),
    )
    problem = _problem(moments, S0, members, layout, as_slalom=len(state["rng"]) > 0)
    q.refresh(problem)
    order, rng = np.array(state["order"], dtype=int), None
    orders = itertools.repeat(order)
    if problem.as_slalom:
        rng = np.random.RandomState()
        rng.set_state(("MT19937", state["rng"][:-1].astype(np.uint32), int(state["rng"][-1])))
        orders = orders_slalom(layout, q.n_sweeps, rng)
    return Start(problem, q, orders, order, moments.mean, S0, members, scale, rng)


def state_of(start: Start) -> dict[str, Any]:
    """Return the posterior as plain arrays, from which a fit can go on and be saved."""
    names = ("C", "W", "E2", "alpha", "d", "eps", "on", "n_sweeps")
    state = {name: getattr(start.q, name) for name in names}
    return state | {
        "mean": start.mean,
        "scale": start.scale,
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


def _coefficients_of(S0: np.ndarray, n_genes: int) -> np.ndarray:
    """A of factors that are the columns of S0 themselves: S0 = [Y, S0] A."""
    K = S0.shape[1]
    return np.vstack([np.zeros((n_genes, K)), np.eye(K)])


def _posterior(C: np.ndarray, W: np.ndarray, A: np.ndarray, eps: np.ndarray) -> Posterior:
    K = C.shape[1]
    return Posterior(
        C, W, W**2, alpha=np.ones(K), d=np.full(K, 0.5), eps=eps, A=A, on=np.ones(K, dtype=bool)
    )


def _problem(
    moments: Moments, extra: np.ndarray, members: np.ndarray, layout: Layout, *, as_slalom: bool
) -> Problem:
    return Problem(
        moments.gram,
        moments.n_cells,
        moments.n_genes,
        extra.mean(0),
        scaled_log_odds(prior(members, layout), moments.n_cells, layout.first_annotated),
        layout.n_known,
        as_slalom,
    )


def sparse_pool(variance: np.ndarray, layout: Layout) -> np.ndarray:
    """Return the genes that sparse factors start from: the 100 most variable.

    Raises
    ------
    IntaeError
        If there are sparse factors, but too few genes for one.
    """
    if layout.n_sparse and len(variance) < SPARSE_GENES:
        msg = (
            f"n_sparse={layout.n_sparse}: a sparse factor starts from {SPARSE_GENES} genes, but "
            f"there are only {len(variance)}; use n_sparse=0"
        )
        raise IntaeError(msg)
    return np.argsort(-variance)[:SPARSE_POOL]


# --- slalom's start -----------------------------------------------------------------------------


@dataclass
class _Drawn:
    """slalom's start: C and W (G x K), and the factors, by coefficients (G x K) or cell by cell."""

    C: np.ndarray
    W: np.ndarray
    A: np.ndarray
    columns: dict[int, np.ndarray]


def _slaloms_draws(
    X, moments: Moments, pi: np.ndarray, layout: Layout, rng: np.random.RandomState
) -> _Drawn:
    """slalom's start `pcaRand`, with the same draws in the same order from its generator."""
    N, (G, K) = moments.n_cells, pi.shape
    n_known, n_dense = layout.n_known, layout.n_dense
    init = np.where(pi < 0.2, 0.01, pi)
    drawn = rng.rand(G, K) < init
    A, W, columns = np.zeros((G, K)), np.empty((G, K)), {}
    for k in range(n_known, K):
        genes = np.flatnonzero(drawn[:, k])
        if len(genes) <= 5:
            columns[k] = rng.randn(N)
        elif k < n_known + n_dense:  # slalom replaces this component; only its draws count
            _skip_pca(N, len(genes), rng)
        elif N < max(RANDOMISED, len(genes)):
            columns[k] = _scores(_centred_columns(X, moments.mean, genes), rng)
        else:
            A[genes, k] = _coefficients(moments.gram[np.ix_(genes, genes)], N, rng)
        W[:, k] = np.sqrt(1.0 / K) * rng.randn(G)
    for k in range(n_known):
        W[:, k] = np.sqrt(1.0 / K) * rng.randn(G)
    for k in range(n_known, n_known + n_dense):
        columns[k] = rng.randn(N)
    return _Drawn(np.clip(init, 0.1, 0.9), W, A, columns)


def _coefficients(gram: np.ndarray, n_cells: int, rng: np.random.RandomState) -> np.ndarray:
    """Coefficients, per gene, of the component that scikit-learn's randomised PCA finds.

    That algorithm sees of the cells Y no more than Y'Y. So it is given a matrix of as many rows as
    genes with the same Y'Y, and a rotation of its scores gives those of the cells.
    """
    values, vectors = eigh(gram)
    root = np.sqrt(values.clip(0.0))
    scores, _, direction = randomized_svd(
        root[:, None] * vectors.T, 1, n_iter=ITERATIONS, flip_sign=False, random_state=rng
    )  # of unit length, rows x 1
    sign = np.sign(direction[0, np.abs(direction[0]).argmax()])
    turned = np.divide(scores[:, 0], root, out=np.zeros_like(root), where=root > 0)
    return sign * np.sqrt(n_cells) * (vectors @ turned)


def _scores(Y: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Scores of the first component at unit variance, where cells are few."""
    few = len(Y) < RANDOMISED
    how = {} if few else {"iterated_power": ITERATIONS, "svd_solver": "randomized"}
    with np.errstate(invalid="ignore"):  # the share of no variance, which nobody asks for
        scores = PCA(n_components=1, random_state=rng, **how).fit_transform(Y)[:, 0]
    sd = scores.std()
    return scores / sd if sd > 0 else scores  # genes that do not vary; slalom divides by 0


def _skip_pca(n_cells: int, n_genes: int, rng: np.random.RandomState) -> None:
    """Draw what scikit-learn's randomised PCA would draw, without its work."""
    if n_cells < RANDOMISED and (max(n_cells, n_genes) <= 500 or min(n_cells, n_genes) < 2):
        return  # the full decomposition draws nothing
    rng.normal(size=(min(n_cells, n_genes), 11))  # one component and ten beside it


def _centred_columns(X, mean: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Some genes of all cells, centred, dense: N x genes. A backed X is read once, in chunks."""
    if is_in_memory(X):
        columns = X[:, genes]
        columns = columns.toarray() if sparse.issparse(columns) else columns
        return np.asarray(columns, dtype=np.float64) - mean[genes]
    return np.vstack([block[:, genes] for _, block in iter_chunks(X)]) - mean[genes]


# --- the start from the annotation --------------------------------------------------------------


def first_components(
    gram: np.ndarray,
    n_cells: int,
    members: np.ndarray,
    layout: Layout,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Put each term at the first principal component of its genes, dense ones at those of all.

    Parameters
    ----------
    gram
        Y'Y of the centred genes, G x G.
    n_cells
        N.
    members
        The genes that each factor is meant to touch, G x K, bool.
    layout
        Of the factors.
    rng
        None, or what draws the part of each set's genes that is used.

    Returns
    -------
    A
        (G + covariates) x K: S0 = [Y, covariates] A has unit variance.
    order
        Of updates, (K,): covariates, dense, sparse, then the annotated terms by the variance of
        their component over the square root of their size, largest first. Without the root large
        sets would come first, with the size itself small ones, whatever they explain.
    """
    G, K = members.shape
    A, strength = np.zeros((G + layout.n_known, K)), np.zeros(K)
    known = np.arange(layout.n_known)
    A[G + known, known] = 1.0
    for i in range(layout.n_dense):
        A[:G, layout.n_known + i], _ = _component(gram, np.arange(G), n_cells, rank=i)
    for k in range(layout.n_known + layout.n_dense, K):
        genes = np.flatnonzero(members[:, k])
        if rng is not None:
            genes = rng.permutation(genes)[: max(1, round(PART * len(genes)))]
        A[:G, k], variance = _component(gram, genes, n_cells)
        strength[k] = variance / np.sqrt(max(1, len(genes)))
    first = layout.first_annotated
    order = first + np.argsort(-strength[first:], kind="stable")
    return A, np.concatenate([np.arange(first), order])


def first_weights(problem: Problem, q: Posterior, members: np.ndarray) -> np.ndarray:
    """E[W] of each gene on all of its own terms jointly, for alpha and the noise at 1: G x K.

    W_g = (S'S + N I)^-1 S'Y_g over the terms that the gene belongs to. A term alone would claim
    the whole of what overlapping terms explain together.
    """
    W = np.zeros(members.shape)
    for g, mine in enumerate(members):
        k = np.flatnonzero(mine)
        ridge = problem.n_cells * np.eye(len(k))
        W[g, k] = np.linalg.solve(q.SS[np.ix_(k, k)] + ridge, q.XS[g, k])
    return W


def choose_sparse_genes(gram: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """Choose the genes that each sparse factor starts from.

    Of the most variable genes, those with the largest weights in the leading component of what
    the dense factors and the sparse ones before leave. slalom draws them at random.
    """
    pool = sparse_pool(np.diag(gram), layout)
    values, vectors = eigh(gram[np.ix_(pool, pool)])
    order = np.argsort(-values)[layout.n_dense :][: layout.n_sparse]
    return [pool[np.argsort(-np.abs(vectors[:, i]), kind="stable")[:SPARSE_GENES]] for i in order]


def _component(
    gram: np.ndarray, genes: np.ndarray, n_cells: int, rank: int = 0
) -> tuple[np.ndarray, float]:
    """Coefficients (G,) of a principal component of some genes at unit variance, and its own."""
    coefficients = np.zeros(len(gram))
    at = len(genes) - 1 - rank
    if at < 0:
        return coefficients, 0.0
    value, vector = eigh(gram[np.ix_(genes, genes)], subset_by_index=[at, at])
    if value[0] <= 0:  # genes that do not vary have no component
        return coefficients, 0.0
    coefficients[genes] = vector[:, 0] * np.sqrt(n_cells / value[0])
    return coefficients, value[0] / n_cells

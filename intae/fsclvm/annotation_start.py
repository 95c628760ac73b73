"""A start from the annotation, found from the Gram matrix alone.

Which local optimum f-scLVM ends in hangs on what comes first. On data simulated with Reactome's
overlapping sets, terms updated in an order of falling strength for their size, from weights that
share each gene among its terms, ended at a higher bound and nearer to the truth than slalom's
kind of start (`benchmarks/fsclvm_starts.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from .layout import Layout
from .slalom_start import SPARSE_GENES, sparse_pool
from .updates import Posterior, Problem

PART = 0.7  # of a set's genes, in a random start


def first_components(
    gram: np.ndarray,
    n_cells: int,
    pi: np.ndarray,
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
    pi
        Prior of membership, G x K.
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
    G, K = pi.shape
    A, strength = np.zeros((G + layout.n_known, K)), np.zeros(K)
    known = np.arange(layout.n_known)
    A[G + known, known] = 1.0
    for i in range(layout.n_dense):
        A[:G, layout.n_known + i], _ = _component(gram, np.arange(G), n_cells, rank=i)
    for k in range(layout.n_known + layout.n_dense, K):
        genes = np.flatnonzero(pi[:, k] > 0.5)
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
    shrink = problem.n_cells
    for g, mine in enumerate(members):
        k = np.flatnonzero(mine)
        W[g, k] = np.linalg.solve(q.SS[np.ix_(k, k)] + shrink * np.eye(len(k)), q.XS[g, k])
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

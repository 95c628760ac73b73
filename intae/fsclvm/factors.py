"""The factors of cells: all at once given the weights, and formed in one pass over the cells."""

from __future__ import annotations

import numpy as np

from ..prepared import iter_chunks
from .updates import Posterior, Problem


def joint_factors(
    C: np.ndarray, W: np.ndarray, E2: np.ndarray, eps: np.ndarray, n_known: int
) -> np.ndarray:
    """Coefficients of all factors at the fixed point of the update of S, the same for any cell.

    S_m (1 + a_m) + sum over the others of S_j (CW_j'sw_m) = Y sw_m, for all m at once: S B = Y SW.

    Returns
    -------
    (G + known) x (K - known): S = [Y, known] times it, for cells of the fit or new ones.
    """
    CW = C * W
    SW = CW * eps[:, None]  # G x K
    B = CW.T @ SW  # K x K
    np.fill_diagonal(B, 1.0 + eps @ (C * E2))
    rhs = np.vstack([SW, -B[:n_known]])[:, n_known:]
    return np.linalg.solve(B[n_known:, n_known:], rhs.T).T


def settle(problem: Problem, q: Posterior) -> None:
    """Update all factors jointly, given the rest."""
    G, n = problem.n_genes, problem.n_known
    free = np.arange(n, len(q.d))
    A = joint_factors(q.C, q.W, q.E2, q.eps, n)
    q.A[:, free] = 0.0
    q.A[:G, free] = A[:G]
    q.A[G : G + n, free] = A[G:]  # observed factors are the first extra columns
    q.d[free] = 1.0 / (1.0 + q.eps @ (q.C * q.E2)[:, free])
    q.refresh(problem)


def loadings(X, mean: np.ndarray, extra: np.ndarray, A: np.ndarray) -> np.ndarray:
    """S = [Y, extra] A in one pass over the cells: N x K."""
    G = len(mean)
    S = extra @ A[G:]
    shift = mean @ A[:G]
    for first, block in iter_chunks(X):
        S[first : first + len(block)] += block @ A[:G] - shift
    return S


def mean_absolute_residual(
    X, mean: np.ndarray, extra: np.ndarray, A: np.ndarray, CW: np.ndarray
) -> float:
    """Mean of |Y - S CW'| over cells and genes, in one pass over the cells."""
    G, total = len(mean), 0.0
    for first, block in iter_chunks(X):
        Y = block - mean
        S = Y @ A[:G] + extra[first : first + len(Y)] @ A[G:]
        total += np.abs(Y - S @ CW.T).sum()
    return total / (X.shape[0] * G)

"""The updates of f-scLVM and its bound, from statistics whose size does not depend on N.

Variational Bayes for Y = S (W * Z)' + noise (Buettner et al. 2017, Genome Biology 18:212), with

    q(S_m)    = N(S_m, d_m)                   N cells x K terms; d_m is the same for every cell
    q(W, Z)   : C = q(Z = 1), W = E[W | Z = 1], E2 = E[W^2 | Z = 1]           G genes x K terms
    alpha (K) : precision of a term's weights; 1 / alpha is its relevance
    eps (G)   : precision of a gene's noise

Write CW = C * W. One sweep updates each term m in turn, given the others j:

    precision = eps (S_m'S_m + N d_m) + alpha_m                         of W_m where Z = 1
    W_m       = eps (Y'S_m - sum_j CW_j S_j'S_m) / precision,   E2_m = W_m^2 + 1 / precision
    C_m       = sigmoid(log(pi / (1 - pi)) + (log(alpha_m / precision) + precision W_m^2) / 2)
    alpha_m   = (a + sum C_m / 2) / (b + sum C_m E2_m / 2)              Gamma prior (a, b)
    S_m       = (Y sw - sum_j S_j CW_j'sw) / (1 + C_m E2_m'eps),        sw = CW_m eps
    d_m       = 1 / (1 + C_m E2_m'eps)

and then the noise, eps = N / E[sum over cells (Y - S (W Z)')^2].

No cell is needed for this. S is a linear function of X = [Y, S0], the centred genes and (where the
start is not itself linear in Y, or there are covariates) E further columns. So S = X A is known by
its coefficients A, (G+E) x K, and all that the updates need of the cells is Gamma = X'X:

    Y'S = (Gamma A)[:G],  S'S = A' Gamma A,
    A_m = ([sw; 0] - sum_j A_j CW_j'sw) / (1 + C_m E2_m'eps)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import xlogy

from ..chunks import iter_chunks, project

PRIOR_A, PRIOR_B = 1e-3, 1e-3  # of alpha, both Gamma parameters
MAX_EPS = 1e6
OFF_RATIO = 1e10  # alpha / var(S) from which a term is switched off for good
FREE_SWEEPS = 10  # sweeps before any term can be
TINY = 1e-30  # a membership below this moves no digit of anything


@dataclass
class Problem:
    """What is given: the statistics of the data and the prior of the memberships.

    Attributes
    ----------
    gamma
        X'X, (G+E) x (G+E).
    n_cells, n_genes
        N and G.
    extra_mean
        Mean of each extra column over the cells, (E,); the genes are centred.
    log_odds
        log(pi / (1 - pi)) of the prior of Z, G x K.
    n_known
        Number of observed factors (covariates); they are the first ones.
    as_slalom
        Follow slalom where it departs from the model: a term switched off is left out of the
        updates of W and eps but not of S, and an observed factor has a variance in that of W.
    """

    gamma: np.ndarray
    n_cells: int
    n_genes: int
    extra_mean: np.ndarray
    log_odds: np.ndarray
    n_known: int = 0
    as_slalom: bool = False
    log_none: float = field(init=False)  # log prior of no gene belonging to any term

    def __post_init__(self) -> None:
        self.log_odds = np.asfortranarray(self.log_odds)
        self.log_none = -float(np.logaddexp(0.0, self.log_odds).sum())


@dataclass
class Posterior:
    """What is sought, named as in this module's docstring. `on` (K): the term is not off."""

    C: np.ndarray
    W: np.ndarray
    E2: np.ndarray
    alpha: np.ndarray
    d: np.ndarray
    eps: np.ndarray
    A: np.ndarray
    on: np.ndarray
    n_sweeps: int = 0
    CW: np.ndarray = field(init=False)  # E[W Z], G x K
    XS: np.ndarray = field(init=False)  # X'S = Gamma A, (G+E) x K; the first G rows are Y'S
    SS: np.ndarray = field(init=False)  # S'S = A' Gamma A, K x K

    def __post_init__(self) -> None:
        # Columns of these are read and written one by one, rows of CW and XS as well.
        self.C, self.W, self.E2 = (np.asfortranarray(x) for x in (self.C, self.W, self.E2))
        self.CW = np.ascontiguousarray(self.C * self.W)
        self.XS = np.zeros_like(self.A)
        self.SS = np.zeros((self.A.shape[1],) * 2)

    def refresh(self, problem: Problem) -> None:
        """Work out the products with S from the coefficients."""
        self.XS = problem.gamma @ self.A
        self.SS = self.A.T @ self.XS


@np.errstate(over="ignore")  # where exp(-u) is more than a float holds, C is 0 as it should be
def sweep(problem: Problem, q: Posterior, order: np.ndarray) -> None:
    """Update every term that is on, in this order, then the noise. Changes `q` in place.

    Inside a sweep P[m, i] = S_m(before its update) . S_i(as it is now), K x K, stands for S: the
    only inner products that are needed.
    """
    N, G, K = problem.n_cells, problem.n_genes, q.C.shape[1]
    YS, P, CW, eps = q.XS[:G], q.SS, q.CW, q.eps  # G x K, K x K, G x K, G
    mean = problem.extra_mean @ q.A[G:]  # K, of each factor over the cells
    done, cross, scale = [], np.zeros((K, K)), np.ones(K)
    for m in order[q.on[order]]:
        variance = P[m, m] / N - mean[m] ** 2
        if q.n_sweeps >= FREE_SWEEPS and q.alpha[m] >= OFF_RATIO * variance:
            q.on[m] = False  # it stays in the model as it is now
            continue
        # W and Z of term m given the others
        p = np.where(q.on, P[m], 0.0) if problem.as_slalom else P[m].copy()  # K
        p[m] = 0.0
        diff = eps * (YS[:, m] - CW @ p)  # G: eps S_m'(Y - sum over the others of S_j CW_j')
        precision = eps * (P[m, m] + N * q.d[m]) + q.alpha[m]  # G
        W = diff / precision  # G
        E2 = W * W + 1.0 / precision  # G
        u = problem.log_odds[:, m] + 0.5 * (np.log(q.alpha[m] / precision) + W * diff)  # G
        C = 1.0 / (1.0 + np.exp(-u))  # G
        CE2 = C * E2  # G
        q.C[:, m], q.W[:, m], q.E2[:, m], CW[:, m] = C, W, E2, C * W
        # its relevance
        q.alpha[m] = (PRIOR_A + 0.5 * C.sum()) / (PRIOR_B + 0.5 * CE2.sum())
        # its factor, S_m = (Y sw - sum over the others of S_j c_j) / (1 + a), seen through P
        a = CE2 @ eps
        if m >= problem.n_known:
            near = np.flatnonzero(C > TINY)
            near = near if 2 * len(near) < G else slice(None)  # a copy of most rows costs more
            sw = CW[near, m] * eps[near]
            c = sw @ CW[near]  # K
            c[m] = 0.0
            P[:, m] = (sw @ YS[near] - P @ c) / (1.0 + a)
            q.d[m] = 1.0 / (1.0 + a)
            cross[m], scale[m] = c, 1.0 + a
            done.append(m)
        elif problem.as_slalom:
            q.d[m] = 1.0 / (1.0 + a)
    _advance_factors(problem, q, np.array(done, dtype=int), cross, scale)
    q.eps = noise_precision(problem, q)
    q.n_sweeps += 1


def _advance_factors(
    problem: Problem, q: Posterior, done: np.ndarray, cross: np.ndarray, scale: np.ndarray
) -> None:
    """Apply the sweep's updates of S to its coefficients A, all terms at once.

    S_m (1 + a_m) + sum over the terms updated before m of S_j(new) c_mj
    = Y sw_m - sum over the others of S_j(old) c_mj: a triangular system in the order of updates.
    """
    before = np.tril(cross[np.ix_(done, done)], -1)
    others = cross[done]  # done x K
    others[:, done] -= before
    new = q.A @ -others.T  # (G+E) x done
    new[: problem.n_genes] += q.CW[:, done] * q.eps[:, None]
    lower = before + np.diag(scale[done])
    new = solve_triangular(lower, new.T, lower=True, check_finite=False, overwrite_b=True)
    q.A[:, done] = new.T
    q.XS[:, done] = (new @ problem.gamma).T  # Gamma is symmetric
    q.SS = q.A.T @ q.XS


def noise_precision(problem: Problem, q: Posterior) -> np.ndarray:
    """eps = N / E[sum over cells (Y - S (W Z)')^2], never above 1e6: (G,)."""
    resid = squared_residual(problem, q)
    return problem.n_cells / np.maximum(resid, problem.n_cells / MAX_EPS)


def squared_residual(problem: Problem, q: Posterior) -> np.ndarray:
    """E[sum over cells (Y - S (W Z)')^2] of each gene under q: (G,)."""
    G = problem.n_genes
    k = q.on if problem.as_slalom else slice(None)
    CW, YS, M = q.CW[:, k], q.XS[:G, k], q.SS[k][:, k]
    D = problem.n_cells * np.where(np.arange(len(q.d)) < problem.n_known, 0.0, q.d)[k]
    means = np.einsum("gk,gk->g", CW @ M - 2.0 * YS, CW)  # -2 Y.SCW' + |SCW'|^2
    spread = (q.C[:, k] * q.E2[:, k]) @ (np.diag(M) + D) - CW**2 @ np.diag(M)
    return np.diag(problem.gamma)[:G] + means + spread


def elbo(problem: Problem, q: Posterior) -> float:
    """Return the lower bound of log p(Y, log alpha | eps) that every update raises.

    alpha and eps are point estimates in f-scLVM's updates: eps maximises the likelihood and alpha
    the posterior of log alpha under its Gamma prior, so their priors enter as log densities (here
    up to constants) and not as Kullback-Leibler divergences.

    The bound is that of the model itself. Where `problem.as_slalom` departs from it, it may fall.
    """
    N = problem.n_cells
    resid = squared_residual(problem, q)  # G
    likelihood = 0.5 * (N * np.log(q.eps / (2 * np.pi)) - q.eps * resid).sum()

    free = slice(problem.n_known, None)  # observed factors have no posterior
    square = np.diag(q.SS)[free] + N * q.d[free]  # E[S_m . S_m]
    kl_s = 0.5 * (square - N * (1.0 + np.log(q.d[free]))).sum()

    variance = q.E2 - q.W**2  # of W given Z = 1, G x K
    kl_w = 0.5 * q.C * (q.alpha * q.E2 - 1.0 - np.log(q.alpha * variance))
    kl_z = (xlogy(q.C, q.C) + xlogy(1 - q.C, 1 - q.C) - q.C * problem.log_odds).sum()

    prior_alpha = (PRIOR_A * np.log(q.alpha) - PRIOR_B * q.alpha).sum()
    return float(likelihood - kl_s - kl_w.sum() - kl_z + problem.log_none + prior_alpha)


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
    return project(X, A[:G], mean, extra, A[G:])


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

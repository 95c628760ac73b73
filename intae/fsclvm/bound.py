"""The evidence lower bound of f-scLVM, from the same statistics as its updates."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from .updates import PRIOR_A, PRIOR_B, Posterior, Problem, squared_residual


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

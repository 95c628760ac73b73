"""Moves between the local optima of f-scLVM: a factor goes on under another name.

Sets nest and overlap, so sweeps often end with a factor under the name of a relative of the set
that it is. Under that set's name the bound would be higher, but no single update leads there. With
the factor's loadings as they are, all names can be compared at once. Given S_m, alpha_m and the
other factors, the update of W_m and Z_m brings the bound, of each gene, to

    softplus(o_gk + h_g) - softplus(o_gk),
    h_g = (log(alpha_m / precision_g) + precision_g W_g^2) / 2

under the name k, with o_gk = log(pi_gk / (1 - pi_gk)), the prior's log odds; W and precision are
those of :mod:`.updates`. Summed over the genes and taken against the factor's own name, this is the
gain of a name. The factor changes places with the free name of the largest gain, and if the bound
has risen it stays there. It is the bound of the sweeps, so a fit with moves never ends lower for
them.
"""

from __future__ import annotations

import numpy as np

from .updates import Posterior, Problem, elbo

FREE = 1e-3  # squared weights (sum over genes at unit variance) below which a name is free
COLUMNS = ("W", "E2", "C", "CW", "A", "XS")


def rename(problem: Problem, q: Posterior, first: int) -> int:
    """Give annotated factors the free names that raise the bound; changes `q` in place.

    Parameters
    ----------
    problem, q
        A fit, at the end of a sweep.
    first
        Index of the first annotated term.

    Returns
    -------
    How many factors have another name now.
    """
    moved, bound = 0, elbo(problem, q)
    size = (q.CW**2).sum(0)
    free = size < FREE
    free[:first] = False
    factors = first + np.flatnonzero(~free[first:])
    for m in factors[np.argsort(-size[factors], kind="stable")]:
        h, _, _ = _update(problem, q, m)
        names = np.append(np.flatnonzero(free), m)
        odds = problem.log_odds[:, names]
        brings = (np.logaddexp(0, odds + h[:, None]) - np.logaddexp(0, odds)).sum(0)
        k = names[brings.argmax()]
        if k == m:
            continue
        before = {name: getattr(q, name)[:, [m, k]] for name in ("W", "E2", "C", "CW")}
        _exchange(problem, q, m, k)
        now = elbo(problem, q)
        if now > bound:
            bound, moved = now, moved + 1
            free[k], free[m] = False, True
        else:
            _swap(q, m, k)
            for name, columns in before.items():
                getattr(q, name)[:, [m, k]] = columns
    return moved


def _exchange(problem: Problem, q: Posterior, m: int, k: int) -> None:
    """Let two terms change their names, and update which genes belong to them."""
    _swap(q, m, k)
    for term in (m, k):
        h, W, E2 = _update(problem, q, term)
        C = 1 / (1 + np.exp(-np.clip(problem.log_odds[:, term] + h, -700, 700)))
        q.W[:, term], q.E2[:, term], q.C[:, term], q.CW[:, term] = W, E2, C, C * W


def _swap(q: Posterior, m: int, k: int) -> None:
    there, here = [m, k], [k, m]
    for name in COLUMNS:
        columns = getattr(q, name)
        columns[:, there] = columns[:, here]
    q.SS[there] = q.SS[here]
    q.SS[:, there] = q.SS[:, here]
    for values in (q.alpha, q.d, q.on):
        values[there] = values[here]


def _update(problem: Problem, q: Posterior, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return h, W and E2 of a term, given its loadings and the other terms."""
    others = q.SS[m].copy()
    others[m] = 0.0
    diff = q.eps * (q.XS[: problem.n_genes, m] - q.CW @ others)
    precision = q.eps * (q.SS[m, m] + problem.n_cells * q.d[m]) + q.alpha[m]
    W = diff / precision
    return (np.log(q.alpha[m] / precision) + W * diff) / 2, W, W**2 + 1 / precision

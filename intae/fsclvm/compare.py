"""How far the posteriors of several starts agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .engine import Layout
from .starts import Start

TOP = 10


def compare_starts(
    candidates: list[tuple[Start, pd.DataFrame, bool]], layout: Layout
) -> pd.DataFrame:
    """Tabulate several fits of the same data beside the one with the highest bound.

    Parameters
    ----------
    candidates
        Start (fitted, on the same statistics), history and whether it converged, of each.
    layout
        Of the factors.

    Returns
    -------
    One row per start, best first; see `FSCLVM.starts_`.
    """
    rows = []
    best = max(candidates, key=lambda c: c[1]["elbo"].iloc[-1])[0]
    for number, (start, history, converged) in enumerate(candidates):
        r, jaccard, shared = agreement(best, start, layout)
        rows.append(
            {
                "start": number,
                "elbo": history["elbo"].iloc[-1],
                "n_iter": len(history),
                "converged": converged,
                "n_active": int(start.q.on[layout.n_known :].sum()),
                "median_r": r,
                "jaccard": jaccard,
                f"shared_top{TOP}": shared,
            }
        )
    table = pd.DataFrame(rows).sort_values("elbo", ascending=False, kind="stable")
    return table.set_index("start")


def agreement(a: Start, b: Start, layout: Layout) -> tuple[float, float, int]:
    """Compare two fits without looking at a cell: S_a'S_b = A_a' Gamma A_b.

    Returns
    -------
    Median |correlation| of the loadings of annotated terms active in both (NaN without any),
    Jaccard index of the active annotated terms, number shared of the ten most relevant.
    """
    k = slice(layout.first_annotated, None)
    N, G = a.problem.n_cells, a.problem.n_genes
    mean = a.problem.extra_mean
    means = [mean @ s.q.A[G:, k] for s in (a, b)]  # of the loadings: the genes have none
    cov = (a.q.A[:, k] * b.q.XS[:, k]).sum(0) / N - means[0] * means[1]
    var = [np.diag(s.q.SS)[k] / N - m**2 for s, m in zip((a, b), means, strict=True)]
    on = [s.q.on[k] for s in (a, b)]
    both, either = on[0] & on[1], on[0] | on[1]
    r = np.abs(cov[both]) / np.sqrt(var[0][both] * var[1][both])
    top = [set(np.argsort(s.q.alpha[k], kind="stable")[:TOP]) for s in (a, b)]
    median = float(np.median(r)) if both.any() else np.nan
    jaccard = float(both.sum() / either.sum()) if either.any() else 1.0
    return median, jaccard, len(top[0] & top[1])

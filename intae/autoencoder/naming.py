"""Which term a factor should be: F* does not know the names of W's columns, R does.

Permuting columns leaves F*(W) as it is, and R alone tells whether a factor is better called by a
set's name or by that of a set inside it. For a factor with the loadings' variance c = (Z'Z/N)_jj,
F at fixed loadings is c |w - v|^2 + const in its column w, where v is what least squares would make
it. Under the name k, with u = soft_threshold(v, entries_k / 2c), the minimum lies

    c (|u| - groups_k / 2c)_+^2

below that of w = 0, and is taken at the proximal map of R_k. So all names of all factors are
compared by one product of matrices, and a change of name that gains here lowers F* + R for sure,
since F* lies below F at fixed loadings.
"""

from __future__ import annotations

import numpy as np

from .descent import Point
from .penalties import Penalty, column_norms, soft_threshold

LEAST_GAIN = 1e-6  # of F* + R, to change a name


def rename(here: Point, penalty: Penalty, barred: np.ndarray) -> tuple[Point, int]:
    """Move annotated factors to better fitting terms that are off, the best move first.

    Parameters
    ----------
    here
        W and what is known there.
    penalty
        R, over all terms.
    barred
        Terms that must stay off.

    Returns
    -------
    A point with F* + R no higher, and the number of moves.
    """
    known = penalty.kinds == "annotated"
    moves = 0
    while True:
        alive = column_norms(here.W) > 0
        factors, names = np.flatnonzero(known & alive), np.flatnonzero(known & ~alive & ~barred)
        if not len(factors) or not len(names):
            return here, moves
        V, curvature = factor_targets(here, factors)
        gain = name_gains(V, curvature, penalty.take(names))
        gain -= [
            name_gains(V[:, [j]], curvature[[j]], penalty.take([k])).item()
            for j, k in enumerate(factors)
        ]  # fmt: skip
        name, factor = np.unravel_index(gain.argmax(), gain.shape)
        objective = here.data_term + penalty.value(here.W)
        if gain[name, factor] <= LEAST_GAIN * objective:
            return here, moves
        W = here.W.copy()
        W[:, factors[factor]] = 0
        step = 1 / (2 * curvature[factor])
        W[:, names[name]] = penalty.take([names[name]]).prox(V[:, [factor]], step)[:, 0]
        here, moves = here.problem.at(W), moves + 1


def factor_targets(here: Point, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return v of each factor, genes x factors, and c, the variance of its loadings."""
    curvature = np.diag(here.best.ZZ)[factors]
    return here.W[:, factors] - here.gradient()[:, factors] / (2 * curvature), curvature


def name_gains(V: np.ndarray, curvature: np.ndarray, names: Penalty) -> np.ndarray:
    """Return how far below w = 0 each factor can get under each name, names x factors."""
    gains = np.empty((len(names.groups), V.shape[1]))
    for row, (entries, group) in enumerate(zip(names.entries.T, names.groups, strict=True)):
        U = soft_threshold(V, entries[:, None] / (2 * curvature))
        gains[row] = curvature * (column_norms(U) - group / (2 * curvature)).clip(0) ** 2
    return gains

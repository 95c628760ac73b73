"""PLIER's gene sets: the elastic net of U, its candidates, and the names of factors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

RIDGE = 5.0  # of the inverse of C that chooses candidates
HELD_OUT = 5  # every fifth gene of a set
SWEEPS, PRECISION = 100, 1e-10  # of coordinate descent


class Sets(NamedTuple):
    """The gene sets as columns of unit length, V = s U in place of U, so that penalties are equal.

    Attributes
    ----------
    unit
        C / s, genes x sets; a set without genes is a column of zeros.
    size
        s, the square root of the number of genes; 1 for a set without genes.
    gram
        unit' unit.
    ridge
        (C'C + 5)^-1 C', sets x genes.
    """

    unit: np.ndarray
    size: np.ndarray
    gram: np.ndarray
    ridge: np.ndarray

    @classmethod
    def of(cls, C: np.ndarray) -> Sets:
        """Make them of C, genes x sets."""
        size = np.sqrt(np.maximum(C.sum(0), 1.0))
        ridge = np.linalg.solve(C.T @ C + RIDGE * np.eye(C.shape[1]), C.T)
        return cls(C / size, size, (C / size).T @ (C / size), ridge)

    def candidates(self, Z: np.ndarray, n: int) -> np.ndarray:
        """Return the sets with the n largest ridge coefficients of each factor, factors x n."""
        return np.argsort(-(self.ridge @ Z), axis=0, kind="stable")[:n].T

    def threshold(self, Z: np.ndarray, chosen: np.ndarray, named: float) -> float:
        """Return mu alpha = l3 alpha / (2 l1) at which this share of the factors has a set.

        A factor has none if its inner product with no candidate is larger.
        """
        inner = np.take_along_axis((self.unit.T @ Z).T, chosen, axis=1).max(1)
        return float(np.quantile(inner, 1 - named))

    def elastic_net(
        self, Z: np.ndarray, V: np.ndarray, chosen: np.ndarray, mu: float, alpha: float
    ) -> np.ndarray:
        """Minimise |z - unit v|^2 / 2 + mu (alpha sum v + (1 - alpha) / 2 |v|^2), v >= 0.

        For each column z of Z, over its candidates, by coordinate descent from V, all columns at
        once.
        """
        gram = self.gram[chosen[:, :, None], chosen[:, None, :]]
        inner = np.take_along_axis((self.unit.T @ Z).T, chosen, axis=1)
        v = np.take_along_axis(V.T, chosen, axis=1)
        own = np.einsum("kii->ki", gram)  # 1, or 0 for a set without genes
        for _ in range(SWEEPS):
            before = v.copy()
            for j in range(v.shape[1]):
                rest = inner[:, j] - np.einsum("ki,ki->k", gram[:, j], v) + own[:, j] * v[:, j]
                shrunk = np.maximum(0.0, rest - mu * alpha)
                curvature = own[:, j] + mu * (1 - alpha)
                v[:, j] = np.where(shrunk > 0, shrunk / np.where(shrunk > 0, curvature, 1.0), 0.0)
            if np.abs(v - before).max(initial=0.0) <= PRECISION * np.abs(v).max(initial=0.0):
                break
        found = np.zeros_like(V)
        np.put_along_axis(found.T, chosen, v, axis=1)
        return found


def held_in(annotations: np.ndarray, genes: pd.Index) -> np.ndarray:
    """Return C without every fifth gene of each set, genes in the order of their names."""
    order, seen = np.argsort(genes.to_numpy(str), kind="stable"), annotations.copy()
    for j in range(annotations.shape[1]):
        members = order[annotations[order, j] > 0]
        seen[members[HELD_OUT - 1 :: HELD_OUT], j] = 0
    return seen


def name_factors(U: np.ndarray) -> dict[int, int]:
    """Return set -> the factor that it names: its largest coefficient, of several the largest."""
    named: dict[int, int] = {}
    largest = U.max(0, initial=0.0)
    for k in np.argsort(-largest, kind="stable"):
        if largest[k] > 0:
            named.setdefault(int(U[:, k].argmax()), int(k))
    return named


def check_names(
    Z: np.ndarray, U: np.ndarray, member: np.ndarray, hidden: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return AUC and false discovery rate of each term's set, NaN where there is no test.

    Parameters
    ----------
    Z, U
        genes x terms and sets x terms; term j is named by set j, terms beyond the sets by none.
    member, hidden
        genes x sets, bool: the sets' genes, and those of them that the fit was not told of.
    """
    from scipy.stats import false_discovery_control, mannwhitneyu  # takes a second to import

    pairs = [(j, k) for j, k in zip(*np.nonzero(U), strict=True) if hidden[:, j].any()]
    auc, q = np.full(Z.shape[1], np.nan), np.full(Z.shape[1], np.nan)
    areas, p = [], []
    for j, k in pairs:
        inside, outside = Z[hidden[:, j], k], Z[~member[:, j], k]
        if not len(outside):
            areas, p = [*areas, 0.5], [*p, 1.0]
            continue
        test = mannwhitneyu(inside, outside, alternative="greater", method="asymptotic")
        areas.append(test.statistic / len(inside) / len(outside))
        p.append(test.pvalue)
    if pairs:
        rates = false_discovery_control(np.nan_to_num(p, nan=1.0))
        for (j, k), area, rate in zip(pairs, areas, rates, strict=True):
            if j == k:
                auc[k], q[k] = area, rate
    return auc, q

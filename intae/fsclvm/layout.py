"""Which factors there are, and in which order they are updated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass
class Layout:
    """The order of the factors: slalom's inside (covariates, dense, sparse, annotated).

    Attributes
    ----------
    n_known, n_dense, n_sparse, n_annotated
        How many there are of each.
    """

    n_known: int
    n_dense: int
    n_sparse: int
    n_annotated: int

    @property
    def first_annotated(self) -> int:
        """Index of the first annotated term."""
        return self.n_known + self.n_dense + self.n_sparse

    @property
    def n_factors(self) -> int:
        """Number of all factors, K, covariates among them."""
        return self.first_annotated + self.n_annotated

    @property
    def table(self) -> np.ndarray:
        """Index of each term in the order of our tables: annotated, sparse, dense."""
        parts = np.split(
            np.arange(self.n_known, self.n_factors), np.cumsum([self.n_dense, self.n_sparse])
        )
        return np.concatenate(parts[::-1])


def orders_slalom(
    layout: Layout, n_sweeps: int, rng: np.random.RandomState
) -> Iterator[np.ndarray]:
    """Yield slalom's order of updates: as they are first, then shuffled twice each sweep."""
    known = np.arange(layout.n_known)
    terms = np.arange(layout.n_known, layout.n_factors)
    if n_sweeps == 0:
        yield np.arange(layout.n_factors)
    while True:
        yield np.concatenate([known, rng.permutation(rng.permutation(terms))])

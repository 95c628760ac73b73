"""What the classes of peers share: arguments, the run inside their package, what is not known."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, limit_threads
from ..prepared import iter_chunks
from .package import Watch, output_to_log, seeded


class Peer(FactorModel):
    """A model of others, run through its own package.

    Parameters
    ----------
    budget
        Seconds after which the fit ends; it then counts for its runtime only.
    seed, threads
        Of the package's generators; of torch and BLAS.

    Attributes
    ----------
    package
        Of the class: the name of its package, where `transform` refuses.
    projected_, projected_seconds_
        Whether the budget ended the fit, and the seconds that all of it would have taken.
    """

    package: ClassVar[str] = ""
    _saved: ClassVar[tuple[str, ...]] = ("projected_", "projected_seconds_")

    def __init__(self, budget: float | None = None, seed: int = 0, threads: int | None = 1) -> None:
        self.budget = budget
        self.seed = seed
        self.threads = threads

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        """Pin threads, seed all generators and keep the package's output, inside the block."""
        with limit_threads(self.threads), seeded(self.seed), output_to_log():
            yield

    def _note(self, watch: Watch, *, converged: bool = True) -> None:
        """Note what the watch saw; a fit that its budget ended has not converged."""
        self.history_ = watch.history()
        self.n_iter_ = len(self.history_)
        self.seconds_ = float(self.history_["seconds"].iloc[-1])
        self.projected_, self.projected_seconds_ = watch.over, watch.projected_seconds()
        self.converged_ = converged and not watch.over

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Refuse: the package knows the loadings of the cells it was trained on only.

        Raises
        ------
        NotImplementedError
            Always.
        """
        msg = f"{self.package} cannot infer the loadings of new cells; loadings_ has the training"
        raise NotImplementedError(f"{msg} cells'")


def dense(adata: AnnData) -> AnnData:
    """Return the data as most packages take them: X dense, float32, nothing but names beside."""
    X = np.vstack([block for _, block in iter_chunks(adata.X)]).astype(np.float32)
    return AnnData(X, pd.DataFrame(index=adata.obs_names), pd.DataFrame(index=adata.var_names))


def strength(loadings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return how much each term moves the data: the deviation of its loadings times its weights.

    Parameters
    ----------
    loadings, weights
        cells x terms, genes x terms.
    """
    return loadings.std(0) * np.linalg.norm(weights, axis=0)

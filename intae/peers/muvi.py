"""MuVI (Qoku & Buettner 2023): factor analysis with a horseshoe prior that gene sets inform."""

from __future__ import annotations

import operator
from types import ModuleType
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..prepared import annotation_table, check_prepared, get_annotations, get_terms
from ..terms import signs, term_index, terms_table
from .base import Peer, dense, strength
from .package import Watch, choose_device, import_peer

ON = 0.05  # share of a term's largest |weight| from which a gene outside its set counts as added


def import_muvi() -> ModuleType:
    """Import muvi 0.2.2, which asks pyro 1.9.2 for a function that it no longer has."""
    guides = import_peer("pyro.infer.autoguide.guides", "MuVI")
    had = hasattr(guides, "deep_getattr")
    if not had:
        guides.deep_getattr = lambda obj, name: operator.attrgetter(name)(obj)
    try:
        return import_peer("muvi", "MuVI")
    finally:
        if not had:
            del guides.deep_getattr


class MuVI(Peer):
    """MuVI 0.2.2 by its package muvi: a factor per gene set, the predecessor of MOFA-FLEX.

    A gene outside a set has its weight there shrunk harder than one inside. The package's defaults
    are taken (confidence "low", .99; all cells in each step; up to 10,000 steps, of which the first
    1,000 are always made). Factors are one to one with gene sets. The package infers no loadings of
    new cells.

    Parameters
    ----------
    prior_confidence
        Between 0 and 1: the higher, the closer to the sets.
    n_dense
        Number of uninformed factors besides.
    max_iter
        Steps at most.
    budget, seed, threads
        See :class:`intae.peers.base.Peer`.
    device
        `cpu` or `cuda`; None takes a GPU where there is one.

    Attributes
    ----------
    terms_
        relevance: the standard deviation of a term's loadings times the norm of its weights.
        genes_added: genes outside the set with |weight| of at least .05 of the term's largest;
        genes_removed: genes of the set below that.

    References
    ----------
    Qoku & Buettner 2023, AISTATS, PMLR 206:3545.
    """

    infers_new_cells: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False
    package: ClassVar[str] = "muvi"

    _saved: ClassVar[tuple[str, ...]] = (*Peer._saved, "device_")

    def __init__(
        self,
        prior_confidence: float = 0.99,
        n_dense: int = 0,
        max_iter: int = 10_000,
        budget: float | None = None,
        device: str | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.device = device
        self.prior_confidence = prior_confidence
        self.n_dense = n_dense
        self.max_iter = max_iter

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; X becomes dense.

        Raises
        ------
        ContractError
            If the data are not prepared.
        ImportError
            If muvi is not installed.
        """
        check_prepared(adata)
        muvi = import_muvi()
        self.device_ = choose_device(self.device)
        with self._inside():
            watch = Watch("MuVI", self.budget, self.max_iter)
            made = muvi.MuVI(
                {"genes": dense(adata).to_df()},
                {"genes": annotation_table(adata).astype(bool).T},
                prior_confidence=self.prior_confidence,
                n_factors=self.n_dense or None,
                device=self.device_,
            )

            def after(losses: list[float]) -> None:
                if watch.epoch(losses[-1]):
                    raise KeyboardInterrupt  # the package ends its loop and keeps what it has

            made.fit(n_epochs=self.max_iter, callbacks=[after], verbose=False, seed=self.seed)
        self._note(watch, converged=len(watch.rows) < self.max_iter)
        index, kinds = term_index(get_terms(adata), 0, self.n_dense)
        annotations = get_annotations(adata)
        weights = np.asarray(made.get_factor_loadings()["genes"], float).T
        sign = signs(weights, annotations)
        loadings = np.asarray(made.get_factor_scores(), float) * sign
        self.weights_ = pd.DataFrame(weights * sign, adata.var_names, index)
        self.loadings_ = pd.DataFrame(loadings, adata.obs_names, index)
        size = np.abs(weights)
        self.terms_ = terms_table(
            kinds, annotations, adata.var_names, relevance=strength(loadings, weights),
            active=size.max(0) > 0, on=size >= ON * np.maximum(size.max(0), 1e-300),
        )  # fmt: skip
        return self

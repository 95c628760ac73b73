"""MOFA-FLEX, the successor of MuVI: Bayesian factor analysis informed by gene sets."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..prepared import annotation_table, check_prepared, get_annotations, get_terms
from ..terms import signs, term_index, terms_table
from .base import Peer, dense
from .package import Watch, choose_device, import_peer

ON = 0.05  # share of a term's largest |weight| from which a gene outside its set counts as added


class MOFAFLEX(Peer):
    """MOFA-FLEX 0.1.2 by its package mofaflex: a factor per gene set, with a horseshoe prior.

    A gene outside a set has its weight there shrunk harder than one inside. The package's defaults
    for models with gene sets are taken (horseshoe prior on weights, confidence .99 in the
    annotation, full batches, Adam at .001), Normal likelihood of the log-normalised values. Factors
    are one to one with gene sets. The package infers no loadings of new cells.

    Parameters
    ----------
    annotation_confidence
        Between 0 and 1: the higher, the closer to the sets.
    n_dense
        Number of uninformed factors besides.
    max_iter
        Epochs at most; the package stops after 100 without an improvement by .1 percent.
    budget
        Seconds after which the fit ends; it then counts for its runtime only.
    seed, threads
        Of the package's generators; of torch.
    device
        `cpu` or `cuda`; None takes a GPU where there is one.

    Attributes
    ----------
    terms_
        relevance: the root of the term's explained variance (at least 0), from the package's
        factor-wise R2. genes_added: genes outside the set with |weight| of at least .05 of the
        term's largest; genes_removed: genes of the set below that.

    References
    ----------
    Qoku et al. 2023 (MuVI), AISTATS; MOFA-FLEX: its package.
    """

    infers_new_cells: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False

    package: ClassVar[str] = "mofaflex"

    _saved: ClassVar[tuple[str, ...]] = (*Peer._saved, "device_")

    def __init__(
        self,
        annotation_confidence: float = 0.99,
        n_dense: int = 0,
        max_iter: int = 10_000,
        budget: float | None = None,
        device: str | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.annotation_confidence = annotation_confidence
        self.n_dense = n_dense
        self.max_iter = max_iter
        self.device = device

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; X becomes dense.

        Raises
        ------
        ContractError
            If the data are not prepared.
        ImportError
            If mofaflex is not installed.
        """
        check_prepared(adata)
        mofaflex = import_peer("mofaflex", "MOFAFLEX")
        self.device_ = choose_device(self.device)
        data = dense(adata)
        data.varm["annotations"] = annotation_table(adata).astype(bool)
        with self._inside():
            watch = Watch("MOFA-FLEX", self.budget, self.max_iter)
            with _watched(watch):
                made = mofaflex.MOFAFLEX(
                    {"cells": {"genes": data}},
                    mofaflex.ModelOptions(
                        n_factors=self.n_dense, weight_prior="Horseshoe", likelihoods="Normal",
                        annotation_confidence=self.annotation_confidence,
                    ),
                    mofaflex.DataOptions(
                        annotations_varm_key="annotations", subset_var=None,
                        plot_data_overview=False, remove_constant_features=False,
                    ),
                    mofaflex.TrainingOptions(
                        device=self.device_, max_epochs=self.max_iter, seed=self.seed,
                        save_path=False,
                    ),
                )  # fmt: skip
        self._note(watch, converged=len(watch.rows) < self.max_iter)
        self._tabulate(adata, made)
        return self

    def _tabulate(self, adata: AnnData, made) -> None:
        """Take weights and factors out of the package's object, in our order of terms."""
        index, kinds = term_index(get_terms(adata), 0, self.n_dense)
        annotations = get_annotations(adata)
        names = [str(name) for name in made.factor_names]  # its uninformed factors come first
        known = [names.index(term) for term in get_terms(adata)]
        order = [*known, *(k for k in range(len(names)) if k not in known)]
        weights = made.get_weights()["genes"][adata.var_names].to_numpy(float).T[:, order]
        factors = made.get_factors()["cells"].loc[adata.obs_names].to_numpy(float)[:, order]
        explained = made.get_r2()["cells"]["genes"].to_numpy(float)[order]
        sign = signs(weights, annotations)
        self.weights_ = pd.DataFrame(weights * sign, adata.var_names, index)
        self.loadings_ = pd.DataFrame(factors * sign, adata.obs_names, index)
        size = np.abs(weights)
        self.terms_ = terms_table(
            kinds, annotations, adata.var_names,
            relevance=np.sqrt(np.maximum(np.nan_to_num(explained), 0.0)),
            active=size.max(0) > 0, on=size >= ON * np.maximum(size.max(0), 1e-300),
        )  # fmt: skip


class _watched:
    """Watch the package's epochs by its early stopping, which sees the loss of each."""

    def __init__(self, watch: Watch):
        self.core = import_peer("mofaflex._core.mofaflex", "MOFAFLEX")
        self.watch, self.stopper = watch, self.core.EarlyStopper

    def __enter__(self) -> None:
        watch = self.watch

        class Stopper(self.stopper):
            def step(self, loss: float) -> bool:
                """Stop when the package would, or the budget is over."""
                over = watch.epoch(loss)
                return bool(super().step(loss)) or over

        self.core.EarlyStopper = Stopper

    def __exit__(self, *error: object) -> None:
        self.core.EarlyStopper = self.stopper

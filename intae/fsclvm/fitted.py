"""The fitted f-scLVM: its tables out of the posterior, and what it says of cells, new or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, limit_threads, match_genes
from ..prepared import design_matrix, get_annotations, get_terms
from ..terms import signs, term_index, terms_table
from .factors import joint_factors, loadings
from .layout import Layout


class Fitted(FactorModel):
    """What an f-scLVM gives once its posterior is found.

    `_state` holds what is saved of it: the posterior (:func:`.start.state_of`); of the covariates
    their columns (`names`), the categories of each (`levels`) and what was taken off each column
    (`shift`); and the `sign` that orients each term.
    """

    n_dense: int
    n_sparse: int
    covariates: Sequence[str] | None
    threads: int | None
    _state: dict[str, Any]

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the posterior mean of the loadings of cells, new or not.

        All factors of a cell follow from its genes by one matrix, the same for every cell
        (:func:`intae.fsclvm.factors.joint_factors`). For the cells of the fit they are
        `loadings_`; with `compat="slalom"` nearly, since there a term that was switched off
        keeps the factor it had then.

        Parameters
        ----------
        adata
            cells x genes, normalised as the training data were; genes are matched by name. X may
            be dense, sparse or backed. Covariates of the model are taken from obs.

        Returns
        -------
        DataFrame, cells x terms.

        Raises
        ------
        ValueError
            If a gene of the model is missing, or a covariate is.
        """
        self._check_fitted()
        adata = match_genes(adata, self.weights_.index)
        s = self._state
        n_known = len(s["names"])
        known = self._design(adata)
        with limit_threads(self.threads):
            A = joint_factors(s["C"], s["W"], s["E2"], s["eps"], n_known)
            A = A[:, self._layout().table - n_known] * s["sign"]
            S = loadings(adata.X, s["mean"], known, A)
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        return pd.DataFrame(S, cells, self.weights_.columns)

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return the posterior mean of the cells' expression: mean + S CW', cells x genes.

        Covariates of the model are among the factors; they are taken from obs.
        """
        made = super().reconstruct(adata)
        made += self._design(adata) @ self.covariate_weights_.to_numpy().T
        return made

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; it can be asked and continued like the one saved.

        Raises
        ------
        ValueError
            If the file is not a saved model of this class.
        """
        model = super().load(path)
        model._expose()
        return model

    def _design(self, adata: AnnData) -> np.ndarray:
        """Return the covariates of cells as they entered the fit: cells x covariates."""
        levels = {k: list(v) for k, v in self._state["levels"].items()}
        known, _, _ = design_matrix(adata.obs, list(self.covariates or ()), levels)
        return known - self._state["shift"]

    def _layout(self) -> Layout:
        n_annotated = int((self.terms_["kind"] == "annotated").sum())
        return Layout(len(self._state["names"]), self.n_dense, self.n_sparse, n_annotated)

    def _tabulate(self, adata: AnnData, S: np.ndarray, total: float) -> None:
        """Set the tables every model has, from the posterior, S (N x K) and the total variance."""
        s, annotations = self._state, get_annotations(adata)
        index, kinds = term_index(get_terms(adata), self.n_sparse, self.n_dense)
        n_known = len(s["names"])
        k = Layout(n_known, self.n_dense, self.n_sparse, annotations.shape[1]).table
        genes = pd.Index(adata.var_names.astype(str), name="gene")
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        weights = (s["C"] * s["W"])[:, k]
        s["sign"] = signs(weights, annotations)
        self.weights_ = pd.DataFrame(weights * s["sign"], genes, index)
        self.loadings_ = pd.DataFrame(S[:, k] * s["sign"], cells, index)
        self.terms_ = terms_table(
            kinds, annotations, genes, relevance=1 / s["alpha"][k], active=s["on"][k],
            on=s["C"][:, k] > 0.5,
        )  # fmt: skip
        explained = (weights**2).sum(0) * S[:, k].var(0)
        self.terms_["variance_explained"] = explained / max(total, np.finfo(float).tiny)

    def _expose(self) -> None:
        """Set the attributes that follow from the saved state."""
        s, k = self._state, self._layout().table
        genes, terms = self.weights_.index, self.weights_.columns
        n_known = len(s["names"])
        self.membership_ = pd.DataFrame(s["C"][:, k], genes, terms)
        sd = np.sqrt(np.maximum(s["E2"] - s["W"] ** 2, 0.0))
        self.weights_sd_ = pd.DataFrame(sd[:, k], genes, terms)
        self.loadings_sd_ = pd.Series(np.sqrt(s["d"][k]), terms, name="sd")
        self.alpha_, self.eps_ = s["alpha"][k], s["eps"]
        self.mean_ = s["mean"]
        known = (s["C"] * s["W"])[:, :n_known]
        self.covariate_weights_ = pd.DataFrame(known, genes, list(s["names"]))

"""PCA as a control: as many components as terms, matched to gene sets by nothing at all."""

from __future__ import annotations

import time
from typing import Self

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.decomposition import PCA as SklearnPCA

from .contracts import check_prepared, get_annotations
from .model import FactorModel, match_genes
from .moments import iter_chunks
from .terms import signs, term_index, terms_table
from .threads import limit_threads


class PCA(FactorModel):
    """Principal components, each a dense term: a control without gene sets.

    Parameters
    ----------
    n_dense
        Number of components; None takes as many as there are gene sets.
    seed
        Of the randomised solver, where scikit-learn chooses it.
    threads
        Threads to use; None leaves it to the libraries.
    """

    knows_gene_sets = False

    _saved = ("mean_",)

    def __init__(self, n_dense: int | None = None, seed: int = 0, threads: int | None = None):
        self.n_dense = n_dense
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; X is densified."""
        check_prepared(adata)
        n_components = self.n_dense or get_annotations(adata).shape[1]
        n_components = min(n_components, adata.n_obs - 1, adata.n_vars)
        start = time.perf_counter()
        with limit_threads(self.threads):
            Y = np.vstack([block for _, block in iter_chunks(adata.X)])
            pca = SklearnPCA(n_components, random_state=self.seed).fit(Y)
            loadings = pca.transform(Y)
        self.seconds_ = time.perf_counter() - start
        none = np.empty((adata.n_vars, 0), dtype=np.uint8)
        weights = pca.components_.T
        sign = signs(weights, none)
        terms, kinds = term_index(pd.Index([]), 0, n_components)
        self.mean_ = pca.mean_
        self.weights_ = pd.DataFrame(weights * sign, adata.var_names, terms)
        self.loadings_ = pd.DataFrame(loadings * sign, adata.obs_names, terms)
        self.terms_ = terms_table(
            kinds, none, adata.var_names,
            relevance=pca.explained_variance_,
            active=np.ones(n_components, dtype=bool),
            on=np.ones(weights.shape, dtype=bool),
        )  # fmt: skip
        self.terms_["genes_added"] = ""  # every gene is in every component: nothing was added
        self.history_ = pd.DataFrame({"iteration": [1], "seconds": [self.seconds_]})
        self.n_iter_, self.converged_ = 1, True
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return loadings of cells, genes matched by name: DataFrame, cells x terms."""
        self._check_fitted()
        data = match_genes(adata, self.weights_.index)
        blocks = [(b - self.mean_) @ self.weights_.to_numpy() for _, b in iter_chunks(data.X)]
        return pd.DataFrame(np.vstack(blocks), adata.obs_names, self.weights_.columns)

"""The model as its users see it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..contracts import check_prepared, get_annotations, get_terms
from ..covariates import design_matrix
from ..model import FactorModel, match_genes, signs, term_index, terms_table
from ..moments import iter_chunks, second_moments
from ..threads import limit_threads
from .bound import elbo
from .start import prior_slalom, scaled_log_odds, start_slalom
from .updates import Posterior, Problem, sweep

log = logging.getLogger(__name__)

CHECK_EVERY = 10  # sweeps between two looks at the bound
LOG_EVERY = 5.0  # seconds between two lines of progress


class FSCLVM(FactorModel):
    """f-scLVM with Gaussian noise, exactly, at a cost a sweep that does not grow with the cells."""

    _saved: ClassVar[tuple[str, ...]] = (
        "membership_", "covariate_weights_", "alpha_", "eps_", "loadings_sd_", "mean_",
    )  # fmt: skip

    def __init__(
        self,
        n_dense: int = 3,
        n_sparse: int = 0,
        covariates: Sequence[str] | None = None,
        max_iter: int = 2000,
        tol: float = 1e-8,
        seed: int = 0,
        compat: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_dense = n_dense
        self.n_sparse = n_sparse
        self.covariates = covariates
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.compat = compat
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        check_prepared(adata, values=False)
        with limit_threads(self.threads):
            start = time.perf_counter()
            self._set_up(adata)
            self._iterate(start)
            self._finish(adata)
            self.seconds_ = time.perf_counter() - start
        return self

    def _set_up(self, adata: AnnData) -> None:
        annotations = get_annotations(adata)
        known, names, categories = design_matrix(adata.obs, list(self.covariates or ()))
        self._names, self._categories = names, categories
        rng = np.random.RandomState(self.seed)
        moments = second_moments(adata.X)
        variance = np.diag(moments.gram)
        pi = prior_slalom(annotations, variance, len(names), self.n_dense, self.n_sparse, rng)
        rng = np.random.RandomState(self.seed)
        S0, C, W = start_slalom(adata.X, moments, pi, known, self.n_dense, rng)
        first = len(names) + self.n_dense + self.n_sparse
        moments = second_moments(adata.X, S0)
        G, K = pi.shape
        self._problem = Problem(
            moments.gram,
            adata.n_obs,
            G,
            S0.mean(0),
            scaled_log_odds(pi, adata.n_obs, first),
            len(names),
            self.compat == "slalom",
        )
        self._q = Posterior(
            C,
            W,
            W**2,
            np.ones(K),
            np.full(K, 0.5),
            np.ones(G),
            np.vstack([np.zeros((G, K)), np.eye(K)]),
            np.ones(K, dtype=bool),
        )
        self._q.refresh(self._problem)
        self._extra, self._rng, self.mean_ = S0, rng, moments.mean

    def _iterate(self, start: float) -> None:
        problem, q = self._problem, self._q
        rows = []
        K = len(q.d)
        order = np.arange(K)
        for i in range(1, self.max_iter + 1):
            if i > 1:
                free = order[problem.n_known :]
                order = np.arange(K)
                free = self._rng.permutation(order[problem.n_known :])
                free = self._rng.permutation(free)
                order[problem.n_known :] = free
            sweep(problem, q, order)
            value = elbo(problem, q) if i % CHECK_EVERY == 0 else np.nan
            rows.append((i, value, int(q.on[problem.n_known :].sum()), time.perf_counter() - start))
        self.history_ = pd.DataFrame(rows, columns=["iteration", "elbo", "n_active", "seconds"])
        self.n_iter_ = len(rows)
        self.converged_ = False

    def _finish(self, adata: AnnData) -> None:
        q, G = self._q, self._problem.n_genes
        S = np.empty((adata.n_obs, len(q.d)))
        shift = self.mean_ @ q.A[:G]
        for first, block in iter_chunks(adata.X):
            S[first : first + len(block)] = block @ q.A[:G] - shift
        S += self._extra @ q.A[G:]
        index, kinds = term_index(get_terms(adata), self.n_sparse, self.n_dense)
        first = len(self._names)
        dense = first + np.arange(self.n_dense)
        sparse = first + self.n_dense + np.arange(self.n_sparse)
        known = np.arange(first + self.n_dense + self.n_sparse, len(q.d))
        order = np.concatenate([known, sparse, dense])
        annotations = get_annotations(adata)
        genes = pd.Index(adata.var_names.astype(str), name="gene")
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        sign = signs(q.CW[:, order], annotations)
        self.weights_ = pd.DataFrame(q.CW[:, order] * sign, genes, index)
        self.loadings_ = pd.DataFrame(S[:, order] * sign, cells, index)
        self.membership_ = pd.DataFrame(q.C[:, order], genes, index)
        self.covariate_weights_ = pd.DataFrame(q.CW[:, :first], genes, self._names)
        self.alpha_, self.eps_ = q.alpha[order], q.eps
        self.loadings_sd_ = np.sqrt(q.d[order])
        self.terms_ = terms_table(
            kinds, annotations, genes, relevance=1 / self.alpha_,
            active=q.on[order], on=q.C[:, order] > 0.5,
        )  # fmt: skip

    def transform(self, adata: AnnData) -> pd.DataFrame:
        adata = match_genes(adata, self.weights_.index)
        CW, eps = self.weights_.to_numpy(), self.eps_
        B = CW.T @ (CW * eps[:, None])
        np.fill_diagonal(B, 1 / self.loadings_sd_**2)
        coef = np.linalg.solve(B, (CW * eps[:, None]).T).T
        S = np.vstack([(block - self.mean_) @ coef for _, block in iter_chunks(adata.X)])
        return pd.DataFrame(S, adata.obs_names, self.weights_.columns)

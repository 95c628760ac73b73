"""The reference f-scLVM for users: the published slalom run as it is, and read into our tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel
from ..prepared import check_prepared, design_matrix, get_annotations, get_terms, iter_chunks
from ..terms import signs, term_index, terms_table
from .run import projected_seconds, run_slalom

PUBLISHED_SEED = 222  # `CSparseFA.init` sets NumPy's global state to it


class Slalom(FactorModel):
    """f-scLVM with Gaussian noise as published in slalom 1.0.0.dev11, its code untouched.

    Every sweep takes O(cells x genes x terms^2): hours on more than some thousand cells.
    :class:`intae.FSCLVM` gives the same posterior at a cost that does not depend on the cells,
    and can do what this class cannot (loadings of new cells, a bound, backed files).

    Parameters
    ----------
    n_dense, n_sparse
        Number of unannotated dense and sparse factors beside the annotated terms.
    covariates
        Columns of obs that are observed factors; they are not among the terms.
    max_iter
        Largest number of sweeps; slalom's default is 2,000.
    budget
        Wall time in seconds. When it is over, the fit stops after the sweep that is running and
        `projected_seconds_` says how long the whole would have taken. None: no limit.
    seed
        slalom sets NumPy's seed to 222 itself, whatever the user does; with `seed=222` this is
        exactly the published behaviour. Another seed stands in the place of that 222.
    threads
        Threads to use; None leaves it to the libraries.

    Attributes
    ----------
    converged_
        Whether slalom's own rule stopped it: the mean absolute residual, looked at every 100
        sweeps, moved by less than 1e-8, after more than 700 sweeps.
    projected_, projected_seconds_
        Whether the budget ended the fit, and the seconds that the whole fit would have taken:
        `seconds_` itself where it was not.
    covariate_weights_
        DataFrame, genes x covariates (E[W Z] of the observed factors); no column without them.
    membership_
        DataFrame, genes x terms: probability that the gene belongs to the term, q(Z = 1).
    alpha_, eps_
        Posterior means of the ARD precisions of all terms and the noise precisions of all genes.

    References
    ----------
    Buettner et al. 2017, Genome Biology 18:212.
    """

    infers_new_cells: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False  # it needs the loadings of the cells it is given

    _saved: ClassVar[tuple[str, ...]] = (
        "projected_", "projected_seconds_", "covariate_weights_", "membership_", "alpha_", "eps_",
    )  # fmt: skip

    def __init__(
        self,
        n_dense: int = 3,
        n_sparse: int = 0,
        covariates: Sequence[str] | None = None,
        max_iter: int = 2000,
        budget: float | None = None,
        seed: int = PUBLISHED_SEED,
        threads: int | None = 1,
    ) -> None:
        self.n_dense = n_dense
        self.n_sparse = n_sparse
        self.covariates = covariates
        self.max_iter = max_iter
        self.budget = budget
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Run slalom on prepared data until its own rule, `max_iter` or the budget stops it.

        Parameters
        ----------
        adata
            Prepared data, cells x genes; not modified. slalom needs them dense: cells x genes
            float64, and cells x terms x terms beside them.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If an argument or a covariate does not fit.
        ImportError
            If slalom is not installed.
        """
        self._check_arguments(adata)
        check_prepared(adata)
        index, kinds = term_index(get_terms(adata), self.n_sparse, self.n_dense)
        annotations = get_annotations(adata).astype(float)
        covariates, names, _ = design_matrix(adata.obs, list(self.covariates or ()))
        Y = np.vstack([block for _, block in iter_chunks(adata.X)])
        run = run_slalom(
            Y, get_terms(adata), annotations, covariates if names else None,
            n_dense=self.n_dense, n_sparse=self.n_sparse, max_iter=self.max_iter,
            budget=self.budget, seed=self.seed, threads=self.threads,
        )  # fmt: skip
        self.seconds_, self.converged_, self.history_ = run.seconds, run.converged, run.history
        self.n_iter_ = len(self.history_)
        self.projected_ = run.over
        self.project(self.max_iter)
        self._read(run.fa, adata, index, kinds, names)
        return self

    def project(self, n_iter: int, n_active: Sequence[int] | None = None) -> float:
        """Set and return `projected_seconds_` of a fit that its budget ended.

        Parameters
        ----------
        n_iter
            Sweeps that the whole fit would take, such as `n_iter_` of `FSCLVM(compat="slalom")`,
            which follows the same path. `fit` itself takes `max_iter`.
        n_active
            Number of terms on in each of these sweeps (`history_["n_active"]` of that fit). A
            sweep's time is proportional to it. Default: the terms on at the end stay on, so that
            the projection is rather too long than too short.
        """
        self.projected_seconds_ = self.seconds_
        if self.projected_:
            total = min(n_iter, self.max_iter)
            self.projected_seconds_ = projected_seconds(
                self.seconds_, self.history_, total, n_active
            )
        return self.projected_seconds_

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Refuse: slalom knows the loadings of the cells it was trained on only.

        Raises
        ------
        NotImplementedError
            Always.
        """
        msg = (
            "slalom cannot infer the loadings of new cells; loadings_ holds those of the training "
            'cells. intae.FSCLVM can: FSCLVM(compat="slalom").fit(adata) is the same model'
        )
        raise NotImplementedError(msg)

    def _read(
        self, fa: Any, adata: AnnData, index: pd.Index, kinds: pd.Series, names: list[str]
    ) -> None:
        """Take the posterior out of slalom's object, in our order of terms."""
        first = len(names)  # slalom's order: covariates, dense, sparse, annotated
        dense = first + np.arange(self.n_dense)
        sparse = first + self.n_dense + np.arange(self.n_sparse)
        known = np.arange(first + self.n_dense + self.n_sparse, fa.components)
        order = np.concatenate([known, sparse, dense])
        annotations = get_annotations(adata)
        genes = pd.Index(adata.var_names.astype(str), name="gene")
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        C, W = fa.W.C[:, :, 0], fa.W.C[:, :, 0] * fa.W.E1
        sign = signs(W[:, order], annotations)
        self.weights_ = pd.DataFrame(W[:, order] * sign, genes, index)
        self.loadings_ = pd.DataFrame(fa.S.E1[:, order] * sign, cells, index)
        self.membership_ = pd.DataFrame(C[:, order], genes, index)
        self.covariate_weights_ = pd.DataFrame(W[:, :first], genes, names)
        self.alpha_, self.eps_ = fa.Alpha.E1[order].copy(), fa.Eps.E1.copy()
        self.terms_ = terms_table(
            kinds, annotations, genes, relevance=1 / self.alpha_,
            active=fa.doUpdate[order] == 1, on=C[:, order] > 0.5,
        )  # fmt: skip

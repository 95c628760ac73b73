"""The exact f-scLVM for users: its arguments, and its fit from the best of several starts."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import limit_threads
from ..prepared import check_prepared, design_matrix, get_annotations, get_terms
from .checks import check_arguments, check_same_data, warn_of_changed
from .compare import compare_starts
from .engine import BoundRule, SlalomRule, iterate
from .factors import loadings, mean_absolute_residual
from .fitted import Fitted
from .layout import Layout
from .start import Start, annotation_starts, resumed_start, slalom_start, state_of

log = logging.getLogger(__name__)


class FSCLVM(Fitted):
    """f-scLVM with Gaussian noise, exactly, at a cost a sweep that does not grow with the cells.

    Factor analysis of log-normalised expression in which a spike-and-slab prior lets each factor
    touch the genes of its gene set, and few others. The posterior is that of the slalom package;
    it is found from the second moments of the data, which take one pass over the cells.

    Parameters
    ----------
    n_dense, n_sparse
        Number of unannotated dense and sparse factors beside the annotated terms.
    covariates
        Columns of obs that are observed factors; they are not among the terms.
    max_iter
        Largest number of sweeps of a fit.
    tol
        The fit has converged when the bound rises by less than this part of itself a sweep. Not
        used with `compat="slalom"`.
    n_init
        Number of starts; the one that ends with the highest bound is kept, and `starts_` tells
        how far they agree. The first is the start from the annotation, the others are random.
    seed
        Of everything random: the further starts, or with `compat="slalom"` the only one.
    compat
        "slalom" follows slalom 1.0.0.dev11 number by number: its start, its order of updates, its
        rule of convergence (which needs a pass over the cells every 100 sweeps). `Slalom(seed=s)`
        then ends with the same posterior. None starts from the annotation instead.
    threads
        Threads for linear algebra; None leaves them as they are.

    Attributes
    ----------
    membership_
        DataFrame, genes x terms: probability that the gene belongs to the term, q(Z = 1).
    loadings_sd_
        Series, a term: posterior standard deviation of its loadings, the same for every cell.
    weights_sd_
        DataFrame, genes x terms: posterior standard deviation of a weight, given that the gene
        belongs to the term.
    alpha_, eps_
        ARD precision of each term (its relevance is 1 / alpha) and noise precision of each gene.
    mean_
        Mean of each gene in the cells of the fit.
    covariate_weights_
        DataFrame, genes x covariates; no column without them.
    elbo_
        Evidence lower bound at the end, in nats, up to a constant that depends on nothing.
    starts_
        DataFrame, one row a start, best first: elbo, n_iter, converged, n_active, and its
        agreement with the best one, `median_r` (of |correlation| of the loadings of terms active
        in both), `jaccard` (of the active terms) and `shared_top10` (of the ten most relevant).
    terms_
        As for every model, and `variance_explained`: the variance of the term's own part of the
        data over that of the data. A term may be active and explain next to nothing.

    Notes
    -----
    The prior of membership is slalom's: 0.99 for genes of the set, 0.001 for others, with the
    log-odds of the latter multiplied by N / 100 (of the former by N / 10,000, above 10,000 cells).
    Without that, terms take in genes by the hundred and no longer are their gene sets. What
    departs from slalom without `compat`: the start and the order of updates, both from the
    annotation and not random; genes' noise starts at their variance; covariates are centred and
    have no variance; a term switched off stays in the model as it is. With these every update
    raises the bound.

    References
    ----------
    Buettner et al. 2017, Genome Biology 18:212.
    """

    _saved: ClassVar[tuple[str, ...]] = ("elbo_", "starts_", "_state")

    def __init__(
        self,
        n_dense: int = 3,
        n_sparse: int = 0,
        covariates: Sequence[str] | None = None,
        max_iter: int = 2000,
        tol: float = 1e-8,
        n_init: int = 1,
        seed: int = 0,
        compat: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_dense = n_dense
        self.n_sparse = n_sparse
        self.covariates = covariates
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.seed = seed
        self.compat = compat
        self.threads = threads

    def fit(self, adata: AnnData, *, warm_start: bool = False) -> Self:
        """Fit the model to prepared data.

        Parameters
        ----------
        adata
            Prepared data, cells x genes; X may be dense, sparse or backed and is read in chunks.
        warm_start
            Go on from where this model's last fit ended, for at most `max_iter` further sweeps,
            on the same cells; also after `load`.

        Raises
        ------
        ContractError
            If the data are not prepared.
        ValueError
            If an argument makes no sense, or the cells to go on with are not those of the fit.
        """
        check_arguments(self)
        check_prepared(adata, values=False)
        with limit_threads(self.threads):
            begin = time.perf_counter()
            if warm_start:
                self._check_fitted()
                check_same_data(self, adata)
            known, names, categories = design_matrix(adata.obs, list(self.covariates or ()))
            if self.compat is None:  # the genes are centred, so the covariates should be
                shift = known.mean(0)
            else:
                shift = np.zeros(len(names))
            layout = Layout(len(names), self.n_dense, self.n_sparse, len(get_terms(adata)))
            candidates = []
            for start in self._starts(adata, known - shift, layout, warm_start):
                before = time.perf_counter() - begin
                history, converged = iterate(
                    start.problem, start.q, start.orders, self._rule(adata, start), self.max_iter
                )
                history["seconds"] += before
                candidates.append((start, history, converged))
                log.info(
                    "start %d: %d sweeps, bound %.6g, %d terms on", len(candidates), len(history),
                    history["elbo"].iloc[-1], history["n_active"].iloc[-1],
                )  # fmt: skip
            bounds = [history["elbo"].iloc[-1] for _, history, _ in candidates]
            start, history, self.converged_ = candidates[int(np.argmax(bounds))]
            self.elbo_ = float(max(bounds))
            if not warm_start:
                self.starts_ = compare_starts(candidates, layout)
            else:
                history["seconds"] += self.seconds_
                history = pd.concat([self.history_, history], ignore_index=True)
            self.history_, self.n_iter_ = history, start.q.n_sweeps
            self._state = state_of(start) | {
                "shift": shift,
                "names": np.array(names, dtype=object),
                "levels": {k: np.array(v, dtype=object) for k, v in categories.items()},
            }
            total = np.diag(start.problem.gamma)[: adata.n_vars].sum() / adata.n_obs
            self._tabulate(adata, loadings(adata.X, start.mean, start.extra, start.q.A), total)
            self._expose()
            seconds = time.perf_counter() - begin
            self.seconds_ = seconds + (self.seconds_ if warm_start else 0.0)
        warn_of_changed(self.terms_)
        return self

    def _starts(
        self, adata: AnnData, known: np.ndarray, layout: Layout, warm: bool
    ) -> Iterable[Start]:
        given = adata.X, get_annotations(adata), known, layout
        if warm:
            S = np.empty(self.loadings_.shape)
            S[:, layout.table - layout.n_known] = self.loadings_.to_numpy() * self._state["sign"]
            return [resumed_start(adata.X, known, layout, self._state, S)]
        if self.compat == "slalom":
            return [slalom_start(*given, self.seed)]
        return annotation_starts(*given, self.n_init, self.seed)

    def _rule(self, adata: AnnData, start: Start) -> BoundRule | SlalomRule:
        if self.compat is None:
            return BoundRule(self.tol)
        return SlalomRule(
            lambda q: mean_absolute_residual(adata.X, start.mean, start.extra, q.A, q.CW)
        )

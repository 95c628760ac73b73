"""The interpretable autoencoder for users: scikit-learn's habits around equation 3."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..prepared import check_prepared, get_annotations, get_terms
from ..terms import terms_table
from .arguments import check_arguments
from .confounders import warn_of_confounders
from .data import Cells
from .encoding import Encoding
from .evidence import evidence
from .inspection import Inspection
from .objective import Loadings, best_data_term
from .penalties import column_norms
from .solving import Solving

log = logging.getLogger(__name__)


class Autoencoder(Solving, Inspection, Encoding):
    """Interpretable autoencoder: Y is near f(Y) W', with W sparse as the gene sets say.

    Parameters
    ----------
    solver
        `exact`: the network eliminated, W solved from second moments; deterministic.
        `adam`: the published algorithm, for reproduction. `proximal`: the network, with a true
        proximal step for W.
    n_sparse
        Number of sparse terms, without annotation.
    n_dense
        Number of dense terms, for confounders. None: none, as in the paper, unless gene sets take
        up a confounder; then as many as there are (:mod:`.confounders`). `adam` does not choose:
        its bias leaves hardly a weight at zero, so it cannot be told what a gene set takes up.
    lambda0, lambda1, lambda2, lambda3
        Penalties of equations 3 to 6 in the paper's absolute units: on loadings, on genes outside
        their set, on sparse terms' genes, on terms as wholes. None: automatic, from the data
        (:mod:`intae.autoencoder.lambdas`); for `adam` the published 0.1, 0.93, 0.43, 0.57.
    annotated_share
        L1 penalty on genes inside their set as well, as a share of lambda1, so that wrong ones can
        be dropped; the paper has none. A twentieth drops most wrong genes and few right ones on
        simulated data; more costs terms (benchmarks/annotated_penalty.py).
    weighting
        Weight of each term's group penalty: `paper` (1), `sqrt-size` (square root of the set's
        size over the median size), or `auto`: `sqrt-size` with an automatic lambda3, else `paper`.
    covariates
        Columns of obs, categorical or numeric, that act additively (equation 2).
    max_iter
        Most iterations of `exact`.
    tol
        `exact` and `proximal` stop at this certificate: the distance of the gradient from the
        subdifferential of the penalty, as a share of the gradient's norm at the annotation start.
    epochs, learning_rate, batch_size
        Of the network's training.
    seed
        Of the network's start, dropout and batches; `exact` draws nothing.
    threads
        Threads to use; None leaves that to the libraries.
    device
        `auto`, `cpu` or `cuda`, for the network.

    Attributes
    ----------
    lambdas_
        All lambdas used, `lambda_annotated` (on genes inside their set) among them, and
        `lambda1_max` and `lambda3_max`, the largest useful ones.
    gap_
        F(encoder, W) - F*(W), never negative: what a better encoder could still gain.
    terms_
        Has two columns besides. `variance_explained`: the share of variance a term explains by
        itself. `evidence`: how much F + R would at once rise if the term changed sides, negative
        for terms that are off; near zero the data hardly decide (:mod:`.evidence`).
        Among terms that are off it tells those nearest to coming on. Empty for `adam`, which ends
        at no minimum.
    history_
        One row an epoch or some iterations: iteration, F, the parts of R, objective (F + R),
        certificate, n_deactivated, inactive_zero_share (of the penalised entries), seconds.

    References
    ----------
    Rybakov et al. 2020, Learning interpretable latent autoencoder representations with
    annotations of feature sets, ICML Workshop on Computational Biology.
    """

    _saved: ClassVar[tuple[str, ...]] = (
        "mean_", "effects_", "covariate_mean_", "categories_", "lambdas_", "gap_", "encoder_",
        "annotations_", "group_weights_", "scale_",
    )  # fmt: skip

    def __init__(
        self,
        solver: str = "exact",
        n_sparse: int = 0,
        n_dense: int | None = None,
        lambda0: float | None = None,
        lambda1: float | None = None,
        lambda2: float | None = None,
        lambda3: float | None = None,
        *,
        annotated_share: float = 0.0,
        weighting: str = "auto",
        covariates: Sequence[str] | None = None,
        max_iter: int = 5000,
        tol: float = 1e-4,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 62,
        seed: int = 0,
        threads: int | None = None,
        device: str = "auto",
    ):
        self.solver = solver
        self.n_sparse = n_sparse
        self.n_dense = n_dense
        self.lambda0 = lambda0
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.lambda3 = lambda3
        self.annotated_share = annotated_share
        self.weighting = weighting
        self.covariates = covariates
        self.max_iter = max_iter
        self.tol = tol
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed
        self.threads = threads
        self.device = device

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data (:func:`intae.prepare`) and return the model.

        Raises
        ------
        ContractError
            If the data are not prepared.
        ValueError
            If an argument or a covariate does not fit.
        """
        check_arguments(self)
        check_prepared(adata)
        clock = time.perf_counter()
        with self._limited():
            cells = Cells(adata, self.covariates)
            self._set_lambdas(cells, get_annotations(adata).astype(float))
            W, effects = self._train(cells, get_terms(adata))
            self._finish(cells, adata, W, effects)
        self.seconds_ = time.perf_counter() - clock
        log.info(
            "%s: F + R = %.4f, %d of %d terms active, gap %.3g, %.1f s",
            self.solver, self.history_["objective"].iloc[-1], self.terms_["active"].sum(),
            len(self.terms_), self.gap_, self.seconds_,
        )  # fmt: skip
        return self

    def _finish(self, cells: Cells, adata: AnnData, W: np.ndarray, effects: np.ndarray) -> None:
        """Orient the signs, encode the cells, and make the tables."""
        self.mean_, self.effects_ = cells.mean, effects
        self.covariate_mean_, self.categories_ = cells.covariate_mean, cells.categories
        self._orient(W)
        genes, terms = pd.Index(adata.var_names.astype(str), name="gene"), self._kinds.index
        self.weights_ = pd.DataFrame(W, index=genes, columns=terms)

        lambda0 = self.lambdas_["lambda0"]
        loadings = np.empty((cells.n_cells, len(terms)))
        YZ = ZZ = total = 0.0
        for rows, Y, X in cells.blocks():
            Z = loadings[rows] = self._encode(Y, X)
            left = Y - X @ effects.T
            YZ, ZZ, total = YZ + left.T @ Z, ZZ + Z.T @ Z, total + float((left**2).sum())
        moments, total = Loadings(YZ / cells.n_cells, ZZ / cells.n_cells), total / cells.n_cells
        best = best_data_term(cells.covariance, W, lambda0)
        self.gap_ = moments.data_term(total, W, lambda0) - best

        cell_names = pd.Index(adata.obs_names.astype(str), name="cell")
        self.loadings_ = pd.DataFrame(loadings, index=cell_names, columns=terms)
        norms = column_norms(W)
        self.terms_ = terms_table(
            self._kinds, self.annotations_, genes, relevance=norms, active=norms > 0, on=W != 0
        )
        if self.solver != "adam":  # whose bias leaves hardly a weight at zero
            n_dense = int((self._kinds == "dense").sum())
            warn_of_confounders(W, self.annotations_, terms, n_dense)
        self.terms_["variance_explained"] = moments.explained(total, W)
        # Adam's W is no minimum of F + R, so what would lower it says nothing of the data.
        self.terms_["evidence"] = (
            np.nan if self.solver == "adam" else evidence(self._problem.at(W), self._penalty)
        )

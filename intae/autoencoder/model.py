"""The interpretable autoencoder for users: scikit-learn's habits around equation 3."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..contracts import check_prepared, get_annotations, get_terms
from ..model import term_index, terms_table
from .arguments import check_arguments
from .confounders import warn_of_confounders
from .data import Cells
from .descent import Problem
from .encoding import Encoding
from .evidence import evidence
from .exact import empty_start, minimise
from .history import History
from .inspection import Inspection
from .lambdas import automatic_lambdas, lambda_max, size_weights
from .objective import Loadings, annotation_start, best_data_term, best_encoder
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)

PUBLISHED = {"lambda0": 0.1, "lambda1": 0.93, "lambda2": 0.43, "lambda3": 0.57}


class Autoencoder(Inspection, Encoding):
    """Interpretable autoencoder: Y is near f(Y) W', with W sparse as the gene sets say.

    Parameters
    ----------
    solver
        `exact`: the network eliminated, W solved from second moments; deterministic.
        `adam`: the published algorithm, for reproduction. `proximal`: the network, with a true
        proximal step for W.
    n_sparse, n_dense
        Number of terms without annotation, sparse or dense.
    lambda0, lambda1, lambda2, lambda3
        Penalties of equations 3 to 6 in the paper's absolute units: on loadings, on genes outside
        their set, on sparse terms' genes, on terms as wholes. None: automatic, from the data
        (:mod:`intae.autoencoder.lambdas`); for `adam` the published 0.1, 0.93, 0.43, 0.57.
    lambda_annotated
        L1 penalty on genes inside their set as well, so that wrong ones can be dropped; the paper
        has none. A twentieth of `lambdas_["lambda1"]` drops most wrong genes and few right ones
        on simulated data; more costs terms (benchmarks/annotated_penalty.py).
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
        All lambdas used, and `lambda1_max` and `lambda3_max`, the largest useful ones.
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
        n_dense: int = 0,
        lambda0: float | None = None,
        lambda1: float | None = None,
        lambda2: float | None = None,
        lambda3: float | None = None,
        *,
        lambda_annotated: float = 0.0,
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
        self.lambda_annotated = lambda_annotated
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
            annotations = get_annotations(adata).astype(float)
            self._set_penalty(cells, annotations, get_terms(adata))
            W, effects = self._train(cells)
            self._finish(cells, adata, W, effects)
        self.seconds_ = time.perf_counter() - clock
        log.info(
            "%s: F + R = %.4f, %d of %d terms active, gap %.3g, %.1f s",
            self.solver, self.history_["objective"].iloc[-1], self.terms_["active"].sum(),
            len(self.terms_), self.gap_, self.seconds_,
        )  # fmt: skip
        return self

    def _set_penalty(self, cells: Cells, annotations: np.ndarray, terms: pd.Index) -> None:
        """Choose the lambdas and the groups' weights, and lay out R."""
        self.annotations_ = annotations
        terms, self._kinds = term_index(terms, self.n_sparse, self.n_dense)
        published = self.solver == "adam"
        self.group_weights_ = np.ones(len(terms))
        if self.weighting == "sqrt-size" or (
            self.weighting == "auto" and self.lambda3 is None and not published
        ):
            self.group_weights_ = size_weights(annotations, len(terms))
        lambda0 = float(PUBLISHED["lambda0"] if self.lambda0 is None else self.lambda0)
        known = self.group_weights_[: annotations.shape[1]]
        largest1, largest3 = lambda_max(cells.covariance, annotations, lambda0, known)
        chosen = PUBLISHED
        if not published:
            chosen = automatic_lambdas(cells.covariance, annotations, lambda0, known, cells.n_cells)
        used = {"lambda0": lambda0}
        for name, value in chosen.items():
            given = getattr(self, name)
            used[name] = float(value if given is None else given)
        self.lambdas_ = used | {
            "lambda_annotated": float(self.lambda_annotated),
            "lambda1_max": largest1,
            "lambda3_max": largest3,
        }
        self._penalty = self._penalty_of(used["lambda1"], used["lambda2"], used["lambda3"])

    def _penalty_of(self, lambda1: float, lambda2: float, lambda3: float) -> Penalty:
        return Penalty.build(
            self.annotations_, self._kinds.to_numpy(), lambda1, lambda2, lambda3,
            lambda_annotated=self.lambda_annotated, group_weights=self.group_weights_,
        )  # fmt: skip

    def _train(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Run the solver; set encoder_, history_, n_iter_ and converged_."""
        problem = Problem(cells.covariance, self.lambdas_["lambda0"])
        start = annotation_start(cells.covariance, self.annotations_, len(self._kinds))
        self.scale_ = float(np.linalg.norm(problem.at(start).gradient()))
        self._problem, history = problem, History(self._penalty, self.scale_)
        if self.solver == "exact":
            W, self.converged_, self.n_iter_ = minimise(
                problem, self._penalty,
                empty_start(cells.covariance, self._penalty),
                tol=self.tol, max_iter=self.max_iter, history=history,
            )  # fmt: skip
            self.encoder_ = {"A": best_encoder(W, problem.lambda0)}
            effects = cells.effects
            if not self.converged_:
                log.warning(
                    "not converged after max_iter=%d iterations: certificate %.2g, tol=%.2g",
                    self.max_iter, history.rows[-1]["certificate"], self.tol,
                )  # fmt: skip
        else:
            W, effects = self._train_network(cells, problem, history)
        self.history_ = history.table()
        return W, effects

    def _train_network(
        self, cells: Cells, problem: Problem, history: History
    ) -> tuple[np.ndarray, np.ndarray]:
        from .adam import train_adam
        from .network import choose_device
        from .proximal import train_proximal

        self.converged_, lambda0 = False, self.lambdas_["lambda0"]

        def look(epoch: int, W: np.ndarray, loadings: Loadings, total: float) -> bool:
            certificate = history.certificate(W, loadings.gradient(W))
            row = history.add(epoch, loadings.data_term(total, W, lambda0), W, certificate)
            log.info(
                "epoch %d of %d: F + R = %.4f, %d terms off",
                epoch, self.epochs, row["objective"], row["n_deactivated"],
            )  # fmt: skip
            self.converged_ = self.solver == "proximal" and certificate <= self.tol
            return self.converged_

        common = dict(
            learning_rate=self.learning_rate, batch_size=min(self.batch_size, cells.n_cells),
            epochs=self.epochs, seed=self.seed, device=choose_device(self.device), look=look,
        )  # fmt: skip
        if self.solver == "adam":
            trained = train_adam(cells, self._penalty, lambda0, **common)
        else:
            # In training a term that goes off never returns, so the start decides what is on.
            start, _, _ = minimise(
                problem, self._penalty,
                empty_start(cells.covariance, self._penalty),
                tol=max(self.tol, 1e-2), max_iter=self.max_iter,
                history=History(self._penalty, self.scale_),
            )  # fmt: skip
            trained = train_proximal(cells, self._penalty, lambda0, start, **common)
        self.n_iter_ = len(history.rows)
        self.encoder_ = {
            name: value.detach().cpu().numpy()
            for name, value in trained.encoder.state_dict().items()
        }
        return trained.W, trained.effects

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
            warn_of_confounders(W, self.annotations_, terms, self.n_dense)
        self.terms_["variance_explained"] = moments.explained(total, W)
        # Adam's W is no minimum of F + R, so what would lower it says nothing of the data.
        self.terms_["evidence"] = (
            np.nan if self.solver == "adam" else evidence(self._problem.at(W), self._penalty)
        )

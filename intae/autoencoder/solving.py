"""From cells to W: the penalties laid out, the number of dense terms chosen, a solver run."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from ..base import FactorModel
from ..terms import term_index
from .confounders import find_confounders, sets_are_blurred
from .data import Cells
from .descent import Problem
from .exact import empty_start, minimise
from .history import History
from .lambdas import automatic_lambdas, lambda_max, size_weights
from .objective import Loadings, annotation_start, best_encoder
from .penalties import Penalty

log = logging.getLogger(__name__)

PUBLISHED = {"lambda0": 0.1, "lambda1": 0.93, "lambda2": 0.43, "lambda3": 0.57}
ROUGH = 1e-2  # certificate that is enough to see which terms come on


class Solving(FactorModel):
    """How an autoencoder comes to its weights."""

    def _set_lambdas(self, cells: Cells, annotations: np.ndarray) -> None:
        """Choose the lambdas and the gene sets' weights in the group penalty."""
        self.annotations_, published = annotations, self.solver == "adam"
        sized = self.weighting == "sqrt-size" or (
            self.weighting == "auto" and self.lambda3 is None and not published
        )
        n_known = annotations.shape[1]
        self._set_weights = size_weights(annotations, n_known) if sized else np.ones(n_known)
        lambda0 = float(PUBLISHED["lambda0"] if self.lambda0 is None else self.lambda0)
        of_data = cells.covariance, annotations, lambda0, self._set_weights
        chosen = PUBLISHED if published else automatic_lambdas(*of_data, cells.n_cells)
        used = {"lambda0": lambda0}
        for name, value in chosen.items():
            given = getattr(self, name)
            used[name] = float(value if given is None else given)
        used["lambda_annotated"] = float(self.annotated_share * used["lambda1"])
        largest = dict(zip(("lambda1_max", "lambda3_max"), lambda_max(*of_data), strict=True))
        self.lambdas_ = used | largest
        self._problem = Problem(cells.covariance, used["lambda0"])

    def _set_terms(self, terms: pd.Index, n_dense: int) -> None:
        """Lay out the terms, and R over them."""
        names, self._kinds = term_index(terms, self.n_sparse, n_dense)
        free = np.ones(len(names) - len(terms))
        self.group_weights_ = np.concatenate([self._set_weights, free])
        used = self.lambdas_
        self._penalty = self._penalty_of(used["lambda1"], used["lambda2"], used["lambda3"])
        start = annotation_start(self._problem.S, self.annotations_, len(names))
        self.scale_ = float(np.linalg.norm(self._problem.at(start).gradient()))

    def _penalty_of(self, lambda1: float, lambda2: float, lambda3: float) -> Penalty:
        return Penalty.build(
            self.annotations_, self._kinds.to_numpy(), lambda1, lambda2, lambda3,
            lambda_annotated=self.annotated_share * lambda1, group_weights=self.group_weights_,
        )  # fmt: skip

    def _train(self, cells: Cells, terms: pd.Index) -> tuple[np.ndarray, np.ndarray]:
        """Run the solver; set encoder_, history_, n_iter_ and converged_."""
        if self.solver == "exact":
            W = self._minimise(terms, self.tol)
            self.encoder_, effects = {"A": best_encoder(W, self.lambdas_["lambda0"])}, cells.effects
            if not self.converged_:
                log.warning(
                    "not converged after max_iter=%d iterations: certificate %.2g, tol=%.2g",
                    self.max_iter, self.history_["certificate"].iloc[-1], self.tol,
                )  # fmt: skip
            return W, effects
        return self._train_network(cells, terms)

    def _minimise(self, terms: pd.Index, tol: float) -> np.ndarray:
        """Run the exact solver; if n_dense is None, again with dense terms for confounders."""
        W = self._minimise_with(terms, self.n_dense or 0, tol)
        if self.n_dense is None and sets_are_blurred(W, self.annotations_):
            confounders = find_confounders(
                self._problem, self.annotations_, self._set_weights, self.lambdas_,
                tol=ROUGH, max_iter=self.max_iter,
            )  # fmt: skip
            n_dense = confounders.shape[1]
            if n_dense:
                log.info("%d dense terms, to keep confounders out of the gene sets", n_dense)
                W = self._minimise_with(terms, n_dense, tol)
        return W

    def _minimise_with(self, terms: pd.Index, n_dense: int, tol: float) -> np.ndarray:
        self._set_terms(terms, n_dense)
        history = History(self._penalty, self.scale_)
        W, self.converged_, self.n_iter_ = minimise(
            self._problem, self._penalty, empty_start(self._problem.S, self._penalty),
            tol=tol, max_iter=self.max_iter, history=history,
        )  # fmt: skip
        self.history_ = history.table()
        return W

    def _train_network(self, cells: Cells, terms: pd.Index) -> tuple[np.ndarray, np.ndarray]:
        from .adam import train_adam
        from .network import choose_device
        from .proximal import train_proximal

        if self.solver == "proximal":
            # In training a term that goes off never returns, so the start decides what is on.
            start = self._minimise(terms, max(self.tol, ROUGH))
        else:
            self._set_terms(terms, self.n_dense or 0)
        self.converged_, lambda0 = False, self.lambdas_["lambda0"]
        history = History(self._penalty, self.scale_)

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
            trained = train_proximal(cells, self._penalty, lambda0, start, **common)
        self.n_iter_, self.history_ = len(history.rows), history.table()
        self.encoder_ = {
            name: value.detach().cpu().numpy()
            for name, value in trained.encoder.state_dict().items()
        }
        return trained.W, trained.effects

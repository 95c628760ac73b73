"""What a network buys: equation 3 as each autoencoder reaches it, against the best encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from anndata import AnnData

from ..autoencoder.data import Cells
from ..autoencoder.model import Autoencoder
from ..autoencoder.objective import (
    Loadings,
    annotation_start,
    best_data_term,
    best_encoder,
    best_loadings,
)
from ..autoencoder.penalties import Penalty, column_norms
from .agreement import correlate

OBJECTIVE_COLUMNS = (
    "F", "penalty", "objective", "best_F", "gap", "certificate", "n_active",
    "inactive_zero_share", "seconds", "own",
)  # fmt: skip
REFERENCE = "(exact)"  # stands for a method: the exact solver at the common penalties


class Yardstick:
    """Equation 3 with the same penalties for all fits of the same prepared data.

    Parameters
    ----------
    prepared
        The data that all were fitted to.
    lambdas
        lambda0, lambda1, lambda2 and lambda3, in the paper's units; every term's weight in the
        group penalty is 1, as in the paper.
    """

    def __init__(self, prepared: AnnData, lambdas: Mapping[str, float]):
        self.prepared, self.lambdas = prepared, dict(lambdas)
        self._cells: dict[tuple[str, ...], Cells] = {}

    def reference(self) -> Autoencoder:
        """Fit the exact solver at these penalties."""
        return Autoencoder(n_dense=0, weighting="paper", threads=1, **self.lambdas).fit(
            self.prepared
        )

    def objective(self, model: Autoencoder) -> dict[str, object]:
        """Say what a fit reaches of equation 3.

        Returns
        -------
        F (with the fit's own loadings), penalty (R), objective (F + R), best_F (F*, with the best
        encoder for the same W), gap (F - F*), certificate (as in `history_`, at the fit's
        loadings), n_active, inactive_zero_share (of the penalised entries), seconds (of the fit)
        and own (whether the fit minimised this very objective, and not one with other penalties).
        """
        cells, W, lambda0 = self._of(model), model.weights_.to_numpy(), self.lambdas["lambda0"]
        moments, total = self._moments(model)
        kinds = model.terms_["kind"].to_numpy()
        names = ("lambda1", "lambda2", "lambda3")
        penalty = Penalty.build(model.annotations_, kinds, *(self.lambdas[n] for n in names))
        start = annotation_start(cells.covariance, model.annotations_, W.shape[1])
        at_start = best_loadings(cells.covariance @ start, start, lambda0)
        distance = np.linalg.norm(penalty.subdiff_distance(W, moments.gradient(W)))
        F, R = moments.data_term(total, W, lambda0), penalty.value(W)
        best = best_data_term(cells.covariance, W, lambda0)
        off = penalty.entries > 0
        row = {
            "F": F,
            "penalty": R,
            "objective": F + R,
            "best_F": best,
            "gap": F - best,
            "certificate": float(distance / np.linalg.norm(at_start.gradient(start))),
            "n_active": int((column_norms(W) > 0).sum()),
            "inactive_zero_share": float((W[off] == 0).mean()) if off.any() else 1.0,
            "seconds": model.seconds_,
            "own": self._own(model),
        }
        return {name: row[name] for name in OBJECTIVE_COLUMNS}

    def encoder_agreement(self, model: Autoencoder) -> pd.DataFrame:
        """Correlate each active term's loadings with the best encoder's for the same W.

        Returns
        -------
        One row an active term: term, relevance, r.
        """
        A = best_encoder(model.weights_.to_numpy(), self.lambdas["lambda0"])
        best = model.loadings_.copy()
        for rows, left in self._left(model):
            best.iloc[rows] = left @ A
        on = model.terms_["active"].to_numpy()
        r = correlate(model.loadings_.loc[:, on], best.loc[:, on])
        relevance = model.terms_.loc[r.index, "relevance"].to_numpy()
        return pd.DataFrame({"term": r.index, "relevance": relevance, "r": r.to_numpy()})

    def _of(self, model: Autoencoder) -> Cells:
        key = tuple(model.covariates or ())
        if key not in self._cells:
            self._cells[key] = Cells(self.prepared, list(key))
        return self._cells[key]

    def _own(self, model: Autoencoder) -> bool:
        used = all(np.isclose(model.lambdas_[k], v) for k, v in self.lambdas.items())
        plain = model.lambdas_["lambda_annotated"] == 0 and (model.group_weights_ == 1).all()
        return bool(used and plain)

    def _left(self, model: Autoencoder) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks of the cells: what is left of centred genes after the model's covariates."""
        for rows, Y, X in self._of(model).blocks():
            yield rows, Y - X @ model.effects_.T

    def _moments(self, model: Autoencoder) -> tuple[Loadings, float]:
        """Return the moments of the fit's loadings, and the mean of |y_n|^2."""
        Z, YZ, total = model.loadings_.to_numpy(), 0.0, 0.0
        for rows, left in self._left(model):
            YZ, total = YZ + left.T @ Z[rows], total + float((left**2).sum())
        return Loadings(YZ / len(Z), Z.T @ Z / len(Z)), total / len(Z)

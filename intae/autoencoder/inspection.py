"""Looking into an autoencoder: what a term is needed for, what other penalties would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, limit_threads, match_genes
from ..prepared import check_prepared, get_annotations, get_terms
from .arguments import check_arguments
from .data import Cells
from .descent import Problem
from .lambdas import FRACTION1, FRACTION3
from .necessity import necessity
from .path import FRACTIONS, path
from .penalties import Penalty
from .solving import ROUGH


class Inspection(FactorModel):
    """What can be asked of an autoencoder beside its loadings and weights."""

    def necessity(self, adata: AnnData | None = None) -> pd.DataFrame:
        """Tell what each active term is needed for.

        Each is forbidden in turn, and the others are refitted from where they stand.

        Parameters
        ----------
        adata
            The training data; needed by a model that was loaded, which keeps no moments.

        Returns
        -------
        DataFrame, one row an active term, the most necessary first: rise (of F + R without it; near
        zero means that the data do not decide for this name), carried (the rise before the others
        are refitted, so that rise / carried is the share that nothing replaces), stand_ins (up to
        three terms that grow most in its place, " | " between them), stand_in_growth (how much
        their norms grow, as shares of the term's own, separated by a space), stand_in_r
        (|correlation| of the first stand-in's loadings then with the term's now).
        """
        self._check_fitted()
        if adata is not None:
            adata = match_genes(adata, self.weights_.index)
            self._problem = Problem(
                Cells(adata, self.covariates).covariance, self.lambdas_["lambda0"]
            )
        if not hasattr(self, "_problem"):
            msg = "a loaded model keeps no moments of its data; call necessity(adata)"
            raise ValueError(msg)
        self._kinds = self.terms_["kind"]
        lambdas = self.lambdas_
        with limit_threads(self.threads):
            return necessity(
                self._problem,
                self._penalty_of(lambdas["lambda1"], lambdas["lambda2"], lambdas["lambda3"]),
                self.weights_.to_numpy(), self.weights_.columns,
                scale=self.scale_, tol=max(self.tol, 1e-3), max_iter=self.max_iter,
            )  # fmt: skip

    def path(
        self,
        adata: AnnData,
        fractions: Sequence[float] = FRACTIONS,
        *,
        held_out: AnnData | None = None,
    ) -> pd.DataFrame:
        """Look along the penalties, from those that leave no term on downwards.

        lambda3 is each fraction of its largest useful value, lambda1 and lambda2 keep the
        proportion to it that the defaults have; the exact solver goes on from each solution to the
        next. The model itself stays as it is.

        Parameters
        ----------
        adata
            Prepared data.
        fractions
            Of lambda3_max, each in (0, 1].
        held_out
            Other cells of the same genes, to be reconstructed.

        Returns
        -------
        DataFrame, one row a fraction, from large to small: fraction, lambda1, lambda3, F,
        objective, n_active, n_added (genes outside their sets), variance_explained, held_out (the
        same of the other cells), certificate, converged, n_iter, seconds (since the start),
        entered and left (terms, separated by a space).
        """
        if not len(fractions) or min(fractions) <= 0 or max(fractions) > 1:
            msg = f"fractions must lie in (0, 1], not {list(fractions)}"
            raise ValueError(msg)
        model = type(self)(**self.get_params() | {"solver": "exact"})
        check_arguments(model)
        check_prepared(adata)
        with limit_threads(self.threads):
            cells = Cells(adata, self.covariates)
            model._set_lambdas(cells, get_annotations(adata).astype(float))
            if self.n_dense is None:
                model._minimise(get_terms(adata), ROUGH)  # which chooses, at the default penalties
            else:
                model._set_terms(get_terms(adata), self.n_dense)
            largest = model.lambdas_["lambda1_max"], model.lambdas_["lambda3_max"]

            def lambdas_at(fraction: float) -> tuple[float, float]:
                return FRACTION1 / FRACTION3 * fraction * largest[0], fraction * largest[1]

            def penalty_at(fraction: float) -> Penalty:
                lambda1, lambda3 = lambdas_at(fraction)
                return model._penalty_of(lambda1, lambda1, lambda3)

            other = None
            if held_out is not None:
                other = cells.second_moment(match_genes(held_out, adata.var_names), self.covariates)
            table = path(
                Problem(cells.covariance, model.lambdas_["lambda0"]), model.annotations_,
                model._kinds.index, penalty_at, fractions,
                tol=self.tol, max_iter=self.max_iter, held_out=other,
            )  # fmt: skip
        pairs = np.array([lambdas_at(f) for f in table["fraction"]])
        table.insert(1, "lambda1", pairs[:, 0])
        table.insert(2, "lambda3", pairs[:, 1])
        return table

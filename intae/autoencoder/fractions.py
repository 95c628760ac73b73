"""The autoencoder's penalties stated as shares of the largest useful ones.

What a lambda does depends on the data; its share of lambda_max (lambdas.py) means the same for
all: at 1 nothing is left, at 0 nothing is penalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anndata import AnnData

from ..prepared import get_annotations
from .data import Cells
from .lambdas import lambda_max, size_weights
from .solving import PUBLISHED


def absolute_penalties(
    adata: AnnData,
    params: Mapping[str, Any],
    *,
    fraction1: float | None = None,
    fraction3: float | None = None,
) -> dict[str, Any]:
    """Return parameters of :class:`intae.Autoencoder` with lambdas in the place of fractions.

    Parameters
    ----------
    adata
        Prepared data that the model will be fitted to.
    params
        The model's other parameters.
    fraction1, fraction3
        Shares of lambda1_max and lambda3_max, which take the place of lambda1 and lambda3 in
        `params`; None leaves those. lambda2 goes with lambda1, as in the automatic penalties,
        unless `params` gives it. With `fraction3` the groups are weighted as with an automatic
        lambda3, where `weighting` is `auto`.
    """
    params = dict(params)
    if fraction1 is None and fraction3 is None:
        return params
    annotations = get_annotations(adata).astype(float)
    weighting = params.get("weighting", "auto")
    if weighting == "auto":
        automatic = fraction3 is not None or params.get("lambda3") is None
        published = params.get("solver", "exact") == "adam"
        weighting = "sqrt-size" if automatic and not published else "paper"
    weights = size_weights(annotations, annotations.shape[1])
    lambda0 = params.get("lambda0") or PUBLISHED["lambda0"]
    largest1, largest3 = lambda_max(
        Cells(adata, params.get("covariates")).covariance,
        annotations,
        lambda0,
        weights if weighting == "sqrt-size" else weights**0,
    )
    params["weighting"] = weighting
    if fraction1 is not None:
        params["lambda1"] = fraction1 * largest1
        if params.get("lambda2") is None:
            params["lambda2"] = params["lambda1"]
    if fraction3 is not None:
        params["lambda3"] = fraction3 * largest3
    return params

"""Gene sets of the same sizes and overlaps that mean nothing: what a name is worth by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData

from .contracts import get_annotations
from .model import FactorModel


def permute_annotations(prepared: AnnData, seed: int) -> AnnData:
    """Shuffle which gene has which row of the annotation.

    Parameters
    ----------
    prepared
        Prepared data; not changed. X is shared, not copied.
    seed
        Of the shuffle.

    Returns
    -------
    Prepared data whose terms have their names and sizes and share as many genes as before, but
    hold other genes.
    """
    order = np.random.default_rng(seed).permutation(prepared.n_vars)
    varm = dict(prepared.varm) | {"annotations": get_annotations(prepared)[order]}
    return AnnData(
        prepared.X, obs=prepared.obs, var=prepared.var, obsm=dict(prepared.obsm), varm=varm,
        uns=dict(prepared.uns),
    )  # fmt: skip


def permuted(model: FactorModel, seed: int) -> FactorModel:
    """Make a model fit whatever data it is given with their annotations permuted by this seed."""
    fit = model.fit

    def fit_permuted(adata: AnnData, **kwargs: Any) -> FactorModel:
        return fit(permute_annotations(adata, seed), **kwargs)

    model.fit = fit_permuted
    return model

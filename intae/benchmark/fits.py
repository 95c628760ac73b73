"""Data and fits as files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel
from ..io import read_h5ad, write_h5ad
from ..prepared import check_fit

log = logging.getLogger(__name__)


def write_fit(model: FactorModel, adata: AnnData, path: str | Path, about: dict[str, Any]) -> None:
    """Write what a fitted model says of the data as `fit.h5ad`.

    Parameters
    ----------
    model
        The fitted model.
    adata
        The prepared data it was fitted to; its labels are kept.
    path
        The file.
    about
        What else to keep in `uns["fit"]`: method, seed, device, versions, ...
    """
    fit = AnnData(
        obs=adata.obs.copy(),
        var=pd.DataFrame(index=adata.var_names.copy()),
        obsm={"loadings": model.loadings_.to_numpy(np.float32)},
        varm={"weights": model.weights_.to_numpy(np.float32)},
        uns={"terms": model.terms_.copy(), "history": model.history_.reset_index(drop=True)},
    )
    fit.uns["fit"] = about_fit(model, about)
    check_fit(fit)
    write_h5ad(fit, path)


def about_fit(model: FactorModel, about: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a run (`uns["fit"]`): `about`, and what the model itself tells."""
    return about | {
        "model": type(model).__name__,
        "parameters": json.dumps(model.get_params()),
        "converged": bool(model.converged_),
        "iterations": int(model.n_iter_),
        "seconds": float(model.seconds_),
        "projected": bool(getattr(model, "projected_", False)),
        "projected_seconds": float(getattr(model, "projected_seconds_", model.seconds_)),
    }


def read_fit(path: str | Path) -> AnnData:
    """Read and check a fit."""
    fit = read_h5ad(path)
    check_fit(fit)
    return fit


def read_finished_fits(paths: Iterable[str | Path]) -> list[AnnData]:
    """Read fits, leaving out those that a budget stopped: only their runtime can be used.

    A factor model after a few sweeps still is what it started from; its loadings would be taken
    for the method's.
    """
    fits = []
    for path in paths:
        fit = read_fit(path)
        if fit.uns["fit"]["projected"]:
            log.info("%s: stopped by its budget, used for runtimes only", path)
        else:
            fits.append(fit)
    return fits


def by_method(fits: Iterable[AnnData]) -> dict[str, list[AnnData]]:
    """Return method -> its fits, a fit a seed, in the order given."""
    found: dict[str, list[AnnData]] = {}
    for fit in fits:
        found.setdefault(str(fit.uns["fit"]["method"]), []).append(fit)
    return found


def loadings(fit: AnnData) -> pd.DataFrame:
    """Return the loadings of a fit: DataFrame, cells x terms.

    Those of a term that is off are zero: a network still makes numbers for it, but it has no
    weights through which they could act.
    """
    terms = fit.uns["terms"]
    in_force = np.where(terms["active"].to_numpy(bool), fit.obsm["loadings"], 0)
    return pd.DataFrame(in_force, fit.obs_names, terms.index)


def weights(fit: AnnData) -> pd.DataFrame:
    """Return the weights of a fit: DataFrame, genes x terms."""
    return pd.DataFrame(fit.varm["weights"], fit.var_names, fit.uns["terms"].index)

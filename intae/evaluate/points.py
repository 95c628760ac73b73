"""The points of a sweep over parameters: which cells, which model, which values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from anndata import AnnData
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from ..base import FactorModel
from ..methods import make_model
from ..sweeps import FRACTIONS

HELD_OUT = 0.25


def training_cells(prepared: AnnData, held_out: str, seed: int) -> np.ndarray:
    """Draw the cells that are fitted to: about three quarters.

    Parameters
    ----------
    prepared
        Prepared data; obs donor, where donors are held out.
    held_out
        `cells`, or `donors`: whole donors.
    seed
        Of the draw.

    Returns
    -------
    Mask of the cells, bool.

    Raises
    ------
    ValueError
        If there is no second donor to hold out.
    """
    blank = np.zeros((prepared.n_obs, 1))
    if held_out == "cells":
        splits = ShuffleSplit(1, test_size=HELD_OUT, random_state=seed).split(blank)
    else:
        donors = prepared.obs["donor"].astype(str).to_numpy()
        if len(np.unique(donors)) < 2:
            msg = f"obs['donor'] has one value only ({donors[0]!r}); hold out cells instead"
            raise ValueError(msg)
        shuffle = GroupShuffleSplit(1, test_size=HELD_OUT, random_state=seed)
        splits = shuffle.split(blank, groups=donors)
    train, _ = next(iter(splits))
    mask = np.zeros(prepared.n_obs, dtype=bool)
    mask[train] = True
    return mask


def fit_point(
    adata: AnnData,
    model: str,
    params: Mapping[str, Any],
    point: Mapping[str, Any],
    *,
    seed: int,
    threads: int,
) -> FactorModel:
    """Fit a model at a point of a sweep.

    Parameters
    ----------
    adata
        The training cells.
    model, params
        Name of the class, and the method's own parameters.
    point
        Parameters that take their place, fraction1 and fraction3 among them
        (:func:`intae.autoencoder.lambdas.absolute_penalties`). Empty: the method as it is.
    seed, threads
        Of the model.
    """
    params = dict(params) | {k: v for k, v in point.items() if k not in FRACTIONS}
    fractions = {k: v for k, v in point.items() if k in FRACTIONS}
    if fractions:
        from ..autoencoder.lambdas import absolute_penalties

        params = absolute_penalties(adata, params, **fractions)
    return make_model(model, params, seed=seed, threads=threads).fit(adata)


def parameters_used(
    model: FactorModel, point: Mapping[str, Any], swept: Iterable[str]
) -> dict[str, object]:
    """Return the value of each swept parameter at a point.

    Parameters
    ----------
    model
        The model that was fitted there.
    point
        What the sweep gives there.
    swept
        All parameters of the sweep.

    Returns
    -------
    Parameter -> value: the point's, else the model's own. Of the autoencoder also lambda1 and
    lambda3 as used, and fraction1 and fraction3, their shares of the largest useful ones.
    """
    own = model.get_params()
    lambdas = getattr(model, "lambdas_", {})
    for number in ("1", "3") if lambdas else ():
        own[f"lambda{number}"] = lambdas[f"lambda{number}"]
        own[f"fraction{number}"] = lambdas[f"lambda{number}"] / lambdas[f"lambda{number}_max"]
    more = [f"{kind}{number}" for kind in ("lambda", "fraction") for number in "13"]
    names = dict.fromkeys([*swept, *(more if lambdas else ())])
    return {name: point.get(name, own.get(name)) for name in names}

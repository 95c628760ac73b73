"""The points of a sweep over parameters: which cells, which model, which values.

What a fit at one point of a sweep is like, looked at from several sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from ..base import FactorModel
from ..benchmark.expand import FRACTIONS
from ..benchmark.registry import make_model
from .agreement import TOP, Answer, stability_table
from .separation import score, standardise
from .variance import variance_explained

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


RESULTS = (
    "n_cells", "n_held_out", "n_active", "genes_added", "objective", "variance_explained",
    "variance_explained_held_out", "median_r", "jaccard", "shared_top", "best_term",
    "best_accuracy", "best_accuracy_held_out", "converged", "seconds",
)  # fmt: skip


def sweep_row(
    model: FactorModel, default: FactorModel, prepared: AnnData, train: np.ndarray
) -> dict[str, object]:
    """Say what a model is like that was fitted to the training cells.

    Parameters
    ----------
    model
        The fitted model.
    default
        The same with the method's own parameters, fitted to the same cells.
    prepared
        All cells; obs condition, where it is known.
    train
        Mask of the training cells.

    Returns
    -------
    The columns of `RESULTS`: numbers of training cells and cells held out; active annotated terms
    and genes added to them; F + R (autoencoder); variance explained in either part, by a
    model that reconstructs; agreement
    with the default about all cells (median |r| of terms active in both, Jaccard index of the
    active terms, shared among the ten most relevant); the term whose loadings alone separate the
    condition best on the training cells, and its accuracy there and on the cells held out.
    """
    loadings, terms = model.transform(prepared), model.terms_
    known = terms[(terms["kind"] == "annotated") & terms["active"]]
    answers = Answer(loadings, terms), Answer(default.transform(prepared), default.terms_)
    any_on = terms["active"].any() or default.terms_["active"].any()
    agreement = stability_table("sweep", [answers]).set_index("term")["r"]
    seen, unseen = np.flatnonzero(train), np.flatnonzero(~train)
    explained = [
        variance_explained(model, prepared, part, seen) if model.reconstructs else np.nan
        for part in (seen, unseen)
    ]
    row = {
        "n_cells": int(train.sum()),
        "n_held_out": int((~train).sum()),
        "n_active": len(known),
        "genes_added": sum(len(genes.split()) for genes in known["genes_added"]),
        "objective": model.history_.get("objective", pd.Series([np.nan])).iloc[-1],
        "variance_explained": explained[0],
        "variance_explained_held_out": explained[1],
        "median_r": agreement["(median |r|)"],
        "jaccard": agreement["(Jaccard index of active terms)"] if any_on else np.nan,
        "shared_top": agreement[f"(shared of the {TOP} most relevant)"],
        "best_term": "",
        "best_accuracy": np.nan,
        "best_accuracy_held_out": np.nan,
        "converged": bool(model.converged_),
        "seconds": float(model.seconds_),
    }
    if "condition" in prepared.obs and len(known):
        row |= best_term(loadings[known.index], prepared.obs["condition"], train)
    return {name: row[name] for name in RESULTS}


def best_term(loadings: pd.DataFrame, label: pd.Series, train: np.ndarray) -> dict[str, object]:
    """Find the term that separates a label best on the training cells, and try it on the others.

    A logistic regression on the loadings of each term alone, fitted to the training cells.

    Parameters
    ----------
    loadings
        cells x terms, all cells.
    label
        The label of each cell.
    train
        Mask of the training cells.

    Returns
    -------
    best_term, best_accuracy, best_accuracy_held_out; nothing if the training cells have one class.
    """
    _, codes = np.unique(label.astype(str), return_inverse=True)
    seen, unseen = np.flatnonzero(train), np.flatnonzero(~train)
    if len(np.unique(codes[seen])) < 2:
        return {}
    best: dict[str, object] = {"best_accuracy": -np.inf}
    for term, values in loadings.items():
        x = standardise(values.to_numpy(float), seen)
        inside, outside = score(x, codes, seen, seen, unseen)
        if inside["accuracy"] > best["best_accuracy"]:
            best = {
                "best_term": term,
                "best_accuracy": inside["accuracy"],
                "best_accuracy_held_out": outside["accuracy"],
            }
    return best

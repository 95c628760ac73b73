"""What a fit at one point of a sweep is like, looked at from several sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.linear_model import LogisticRegression

from ..model import FactorModel
from ..moments import iter_chunks
from .stability import TOP, Answer, stability_table

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
    and genes added to them; F + R (autoencoder); variance explained in either part; agreement
    with the default about all cells (median |r| of terms active in both, Jaccard index of the
    active terms, shared among the ten most relevant); the term whose loadings alone separate the
    condition best on the training cells, and its accuracy there and on the cells held out.
    """
    loadings, terms = model.transform(prepared), model.terms_
    known = terms[(terms["kind"] == "annotated") & terms["active"]]
    answers = Answer(loadings, terms), Answer(default.transform(prepared), default.terms_)
    any_on = terms["active"].any() or default.terms_["active"].any()
    agreement = stability_table("sweep", [answers]).set_index("term")["r"]
    mean = np.asarray(prepared.X[train].mean(0, dtype=float)).ravel()
    explained = variance_explained(model, prepared, loadings, mean, train)
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


def variance_explained(
    model: FactorModel,
    prepared: AnnData,
    loadings: pd.DataFrame,
    mean: np.ndarray,
    train: np.ndarray,
) -> tuple[float, float]:
    """Return the share of variance that loadings and weights reconstruct.

    1 - |Y - reconstruction|^2 / |Y - mean of the training cells|^2, summed over cells and genes,
    for the training cells and for the others.

    Parameters
    ----------
    model
        The fitted model.
    prepared, loadings
        All cells, and the model's loadings of them.
    mean
        Mean of each gene over the training cells.
    train
        Mask of the training cells.

    Returns
    -------
    Of the training cells, of the others. NaN for a model that cannot reconstruct expression.
    """
    rebuild = getattr(model, "reconstruct", None)
    if rebuild is None and getattr(model, "covariates", None):
        return np.nan, np.nan
    weights = model.weights_.to_numpy()
    left, total = np.zeros(2), np.zeros(2)
    for start, Y in iter_chunks(prepared.X):
        cells = slice(start, start + len(Y))
        try:
            made = rebuild(prepared[cells]) if rebuild else loadings[cells] @ weights.T + mean
        except NotImplementedError:  # scores of cells, which are no model of their expression
            return np.nan, np.nan
        squares = (Y - np.asarray(made)) ** 2
        for part, chosen in enumerate((train[cells], ~train[cells])):
            left[part] += squares[chosen].sum()
            total[part] += ((Y - mean)[chosen] ** 2).sum()
    shares = 1 - left / total
    return float(shares[0]), float(shares[1])


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
    y = label.astype(str).to_numpy()
    if len(np.unique(y[train])) < 2:
        return {}
    best: dict[str, object] = {"best_accuracy": -np.inf}
    for term, values in loadings.items():
        z = values.to_numpy(float)
        z = (z - z[train].mean()) / (z[train].std() or 1.0)
        regression = LogisticRegression().fit(z[train, None], y[train])
        accuracy = regression.score(z[train, None], y[train])
        if accuracy > best["best_accuracy"]:
            others = regression.score(z[~train, None], y[~train])
            best = {
                "best_term": term,
                "best_accuracy": accuracy,
                "best_accuracy_held_out": others,
            }
    return best

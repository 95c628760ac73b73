"""What has to be fitted again to be measured: halves, folds, parts of the cells, points of a sweep.

Each function takes prepared data and, where it fits a method, a callable `make` that returns a new,
unfitted model. What is measured of the fits is in :mod:`intae.metrics`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from ..base import FactorModel
from ..errors import IntaeError
from ..fits import Fit
from ..io import read_h5ad
from ..metrics.agreement import Pair, shared, stability_table
from ..metrics.families import have_families, stands_for
from ..metrics.separation import SCORES, best_term, folds, label_codes, predict, score
from ..metrics.variance import variance_explained
from .expand import FRACTIONS
from .training import fit as fit_model
from .training import make_model

log = logging.getLogger(__name__)

BLOCK = 2048  # cells read at a time
HELD_OUT = 0.25


def fit_of_all_cells(model: FactorModel, prepared: AnnData) -> Fit:
    """Return a fitted model as a fit of all cells, also of those that it did not see."""
    counts = model.terms_["active"].to_numpy(bool) | model.reads_off_terms
    loadings = model.transform(prepared) * counts
    return Fit({}, model.terms_, model.history_, loadings, model.weights_, prepared.obs, model)


# -------------------------------------------------------------------------------- halves


def between_halves(
    prepared: AnnData,
    make: Callable[[], FactorModel],
    n_splits: int,
    *,
    donors: bool,
    seed: int = 0,
    fit: Callable[[FactorModel, AnnData], FactorModel] = fit_model,
    whole: Callable[[], pd.Series] | None = None,
) -> pd.DataFrame:
    """Fit a model to two halves of the cells, and compare what it says of all cells.

    Parameters
    ----------
    prepared
        Prepared data.
    make
        Returns a new, unfitted model with `transform`.
    n_splits
        Number of splits; of few donors there may be fewer.
    donors
        Split whole donors (obs donor) and not cells.
    seed
        Of the splits.
    fit
        Fits a model to data and returns it: see :meth:`.kept_fits.KeptFits.fit`.
    whole
        Returns the family of each term in a fit of all cells, as :func:`families_of_all_cells`,
        which is the default.

    Returns
    -------
    As :func:`intae.metrics.agreement.stability_table`, kind halves or donors.
    """
    splits = list(half_masks(prepared, n_splits, donors, np.random.default_rng(seed)))

    def pairs() -> Iterator[Pair]:
        for number, first in enumerate(splits, start=1):
            log.info("split %d of %d", number, len(splits))
            models = (fit(make(), prepared[cells].copy()) for cells in (first, ~first))
            yield Pair.of(*(fit_of_all_cells(model, prepared) for model in models))

    whole = whole or families_of_all_cells(prepared, make, fit)
    return stability_table("donors" if donors else "halves", pairs(), whole)


def families_of_all_cells(
    prepared: AnnData,
    make: Callable[[], FactorModel],
    fit: Callable[[FactorModel, AnnData], FactorModel] = fit_model,
) -> Callable[[], pd.Series]:
    """Return a function that fits all cells when it is first called, for the terms' families.

    Parameters
    ----------
    prepared, make, fit
        As of :func:`between_halves`; halves of cells and of donors can share what is returned.
    """

    @cache
    def whole() -> pd.Series:
        log.info("all cells, for their families")
        return fit(make(), prepared.copy()).terms_["family"]

    return whole


def half_masks(
    prepared: AnnData, n_splits: int, donors: bool, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield masks of the cells of a first half, each split of donors at most once."""
    if not donors:
        for _ in range(n_splits):
            mask = np.zeros(prepared.n_obs, dtype=bool)
            mask[rng.permutation(prepared.n_obs)[: prepared.n_obs // 2]] = True
            yield mask
        return
    names = prepared.obs["donor"].astype(str).to_numpy()
    known = np.unique(names)
    halves = list(combinations(known, len(known) // 2))
    if len(known) % 2 == 0:  # the other half is the same split
        halves = halves[: len(halves) // 2]
    for i in rng.permutation(len(halves))[:n_splits]:
        yield np.isin(names, halves[i])


# --------------------------------------------------------------------------------- folds


class Unseen(NamedTuple):
    """What is known of unseen cells.

    Attributes
    ----------
    accuracy
        term, split, accuracy, balanced_accuracy, auroc: of the predictions of all folds together.
        split is unseen; of a model that finds families also unseen_family, where the loadings of a
        term are those of the most relevant active term of its family in the fold's own fit.
    choice
        One row per fold: fold, term, n_train, n_unseen, train_accuracy and the scores on the
        unseen cells, of the active gene set that separated the training cells best (of a model
        without gene sets: component). The choice is made anew in each fold, so its scores are those
        of a reader who does not know the unseen cells.
    reconstruction
        One row per fold and split (train, unseen): fold, split, n_cells, n_terms_active,
        variance_explained.
    folds
        One row per fold and term: fold, term, active (in that fold's fit), auroc of the unseen
        cells; of a model that finds families also family_active and family_auroc, of the most
        relevant active term of its family in that fit, else empty.
    """

    accuracy: pd.DataFrame
    choice: pd.DataFrame
    reconstruction: pd.DataFrame
    folds: pd.DataFrame


def unseen_cells(
    prepared: AnnData,
    make: Callable[[], FactorModel],
    n_folds: int,
    *,
    fit: Callable[[FactorModel, AnnData], FactorModel] = fit_model,
) -> Unseen:
    """Fit a model to all cells but a fold, and ask it about that fold's cells.

    Folds are of whole donors (obs donor) where there are several, else of random cells, and have
    every class of the condition in each part where the donors allow it
    (:func:`intae.metrics.separation.folds`). The regression of the condition (obs condition) is
    fitted to the loadings of the training cells.

    Parameters
    ----------
    prepared
        Prepared data.
    make
        Returns a new, unfitted model with `transform`.
    n_folds
        Largest number of folds; of few donors there are fewer.
    fit
        As in :func:`between_halves`.

    Returns
    -------
    :class:`Unseen`. Without a condition, accuracy, choice and folds have no rows; of a model that
    does not reconstruct, reconstruction has none.
    """
    condition = prepared.obs.get("condition")
    codes = np.zeros(prepared.n_obs, int) if condition is None else label_codes(condition)
    predictions, tables, choice, reconstruction, each = {}, [], [], [], []
    splits = folds(codes, prepared.obs.get("donor"), n_folds)
    for number, (train, test) in enumerate(splits, start=1):
        log.info("fold %d: %d cells to train on, %d unseen", number, len(train), len(test))
        model = fit(make(), prepared[train].copy())
        active = model.terms_["active"].to_numpy(bool)
        tables.append(model.terms_)
        if condition is not None:
            rows, of_term = [], {}
            for term, values in fit_of_all_cells(model, prepared).loadings.items():
                seen, unseen = predict(values.to_numpy(float), codes, train, train, test)
                of_term[term] = unseen
                row = {"term": term, "train_accuracy": score(codes, [seen])["accuracy"]}
                rows.append(row | score(codes, [unseen]))
            for term, unseen in of_term.items():
                predictions.setdefault((term, "unseen"), []).append(unseen)
            if "family" in model.terms_:
                for term, leader in stands_for(model.terms_).items():
                    predictions.setdefault((term, "unseen_family"), []).append(of_term[leader])
            sizes = {"fold": number, "n_train": len(train), "n_unseen": len(test)}
            on = active
            if model.knows_gene_sets:  # what has no name, or is off, nobody would choose
                on = on & (model.terms_["kind"] == "annotated").to_numpy()
            each.append(_of_fold(pd.DataFrame(rows), model.terms_).assign(fold=number))
            best = pd.DataFrame(rows)[on].nlargest(1, "train_accuracy")
            choice.append(best.assign(**sizes))
        for split, cells in (("train", train), ("unseen", test)) if model.reconstructs else ():
            explained = variance_explained(model, prepared, cells, train)
            reconstruction.append((number, split, len(cells), int(active.sum()), explained))
    accuracy = [
        {"term": term, "split": split} | score(codes, parts)
        for (term, split), parts in predictions.items()
        if split == "unseen" or have_families(tables)
    ]
    columns = ["fold", "term", "n_train", "n_unseen", "train_accuracy", *SCORES]
    rows = ["fold", "split", "n_cells", "n_terms_active", "variance_explained"]
    per_fold = list(FOLD_COLUMNS)
    return Unseen(
        pd.DataFrame(accuracy, columns=["term", "split", *SCORES]),
        pd.concat(choice)[columns] if choice else pd.DataFrame(columns=columns),
        pd.DataFrame(reconstruction, columns=rows),
        pd.concat(each)[per_fold] if each else pd.DataFrame(columns=per_fold),
    )


FOLD_COLUMNS = ("fold", "term", "active", "auroc", "family_active", "family_auroc")


def _of_fold(scores: pd.DataFrame, terms: pd.DataFrame) -> pd.DataFrame:
    """Return for each term of a fold's fit whether it is active, and its AUROC on unseen cells."""
    table = scores[["term", "auroc"]].set_index("term")
    table["active"] = terms["active"].astype(bool)
    table["family_active"], table["family_auroc"] = None, np.nan
    if "family" in terms:
        for term, leader in stands_for(terms).items():
            table.loc[term, "family_active"] = bool(table.loc[leader, "active"])
            table.loc[term, "family_auroc"] = table.loc[leader, "auroc"]
    return table.reset_index()


# --------------------------------------------------------------------------------- parts


def read_part(path: str | Path, n_cells: int, seed: int) -> AnnData | None:
    """Read a random part of the cells of a prepared file, the rest never in memory.

    Parameters
    ----------
    path
        Prepared data; X dense or sparse.
    n_cells
        Number of cells. A larger part, from the same seed, holds all cells of a smaller one.
    seed
        Of the draw.

    Returns
    -------
    The part, its cells in the file's order; None where the file has no more cells than asked for.
    """
    whole = read_h5ad(path, backed="r")
    try:
        if n_cells >= whole.n_obs:
            log.info("%s has %d cells: no part of %d is drawn", path, whole.n_obs, n_cells)
            return None
        chosen = np.sort(np.random.default_rng(seed).permutation(whole.n_obs)[:n_cells])
        blocks = []
        for start in range(0, whole.n_obs, BLOCK):
            rows = chosen[(chosen >= start) & (chosen < start + BLOCK)] - start
            blocks.append(whole.X[start : start + BLOCK][rows])
        X = sparse.vstack(blocks, format="csr") if sparse.issparse(blocks[0]) else np.vstack(blocks)
        return AnnData(
            X,
            obs=whole.obs.iloc[chosen].copy(),
            var=whole.var.copy(),
            varm={key: np.asarray(value) for key, value in whole.varm.items()},
            uns=dict(whole.uns),
        )
    finally:
        whole.file.close()


# -------------------------------------------------------------------------------- sweeps


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
    IntaeError
        If there is no second donor to hold out.
    """
    blank = np.zeros((prepared.n_obs, 1))
    if held_out == "cells":
        splits = ShuffleSplit(1, test_size=HELD_OUT, random_state=seed).split(blank)
    else:
        donors = prepared.obs["donor"].astype(str).to_numpy()
        if len(np.unique(donors)) < 2:
            msg = f"obs['donor'] has one value only ({donors[0]!r}); hold out cells instead"
            raise IntaeError(msg)
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
    checkpoint: Path | None = None,
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
    checkpoint
        As in :func:`.training.train`.
    """
    params = dict(params) | {k: v for k, v in point.items() if k not in FRACTIONS}
    fractions = {k: v for k, v in point.items() if k in FRACTIONS}
    if fractions:
        from ..autoencoder.lambdas import absolute_penalties

        params = absolute_penalties(adata, params, **fractions)
    return fit_model(make_model(model, params, seed=seed, threads=threads), adata, checkpoint)


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


SWEEP_COLUMNS = (
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
    `SWEEP_COLUMNS`: numbers of training cells and of cells held out; active annotated terms
    and genes added to them; F + R (autoencoder); variance explained in either part, by a model
    that reconstructs; agreement with the default about all cells (median |r| of terms active in
    both, Jaccard index of the active terms, shared among the ten most relevant); the term whose
    loadings alone separate the condition best on the training cells, and its accuracy there and on
    the cells held out.
    """
    fit, other = (fit_of_all_cells(fitted, prepared) for fitted in (model, default))
    known = fit.terms[(fit.terms["kind"] == "annotated") & fit.terms["active"]]
    any_on = fit.terms["active"].any() or other.terms["active"].any()
    agreement = shared(Pair.of(fit, other))
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
        "median_r": agreement.r.median(),
        "jaccard": agreement.jaccard if any_on else np.nan,
        "shared_top": len(agreement.top),
        "best_term": "",
        "best_accuracy": np.nan,
        "best_accuracy_held_out": np.nan,
        "converged": bool(model.converged_),
        "seconds": float(model.seconds_),
    }
    if "condition" in prepared.obs and len(known):
        row |= best_term(fit.loadings[known.index], prepared.obs["condition"], train)
    return {name: row[name] for name in SWEEP_COLUMNS}

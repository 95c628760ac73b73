"""Cells that neither the factor model nor the regression saw: separation and reconstruction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel
from ..prepared import iter_chunks
from .separation import METRICS, folds, label_codes, score, standardise

log = logging.getLogger(__name__)

CHUNK = 4096


class Unseen(NamedTuple):
    """What is known of unseen cells.

    Attributes
    ----------
    accuracy
        term, split (unseen), accuracy, balanced_accuracy, auroc: the mean over the folds.
    choice
        A row a fold: fold, term, n_train, n_unseen, train_accuracy and the scores on the unseen
        cells, of the active gene set that separated the training cells best (of a model without
        gene sets: component). The choice is made anew
        in each fold, so its scores are those of a reader who does not know the unseen cells.
    reconstruction
        A row a fold and split (train, unseen): fold, split, n_cells, n_terms_active,
        variance_explained.
    """

    accuracy: pd.DataFrame
    choice: pd.DataFrame
    reconstruction: pd.DataFrame


def unseen_cells(prepared: AnnData, make: Callable[[], FactorModel], n_folds: int) -> Unseen:
    """Fit a model to all cells but a fold, and ask it about that fold's cells.

    Folds are of whole donors (obs donor) where there are several, else of random cells. The
    regression of the condition (obs condition) is fitted to the loadings of the training cells.

    Parameters
    ----------
    prepared
        Prepared data.
    make
        Returns a new, unfitted model with `transform`.
    n_folds
        Number of folds; of few donors there are fewer.

    Returns
    -------
    :class:`Unseen`. Without a condition, accuracy and choice have no rows; of a model that does
    not reconstruct, reconstruction has none.
    """
    condition = prepared.obs.get("condition")
    if condition is None:
        codes = np.zeros(prepared.n_obs, dtype=int)
    else:
        codes = label_codes(condition)
    accuracy, choice, reconstruction = [], [], []
    splits = folds(codes, prepared.obs.get("donor"), n_folds)
    for number, (train, test) in enumerate(splits, start=1):
        log.info("fold %d: %d cells to train on, %d unseen", number, len(train), len(test))
        model = make()
        model.fit(prepared[train].copy())
        if condition is not None:
            on = model.terms_["active"].to_numpy(bool)
            in_force = model.transform(prepared) * on  # as in intae.fits.loadings
            scores = _scores(in_force, codes, train, test)
            accuracy.append(scores[["term", *METRICS]])
            size = {"fold": number, "n_train": len(train), "n_unseen": len(test)}
            if model.knows_gene_sets:  # what has no name, or is off, nobody would choose
                on = on & (model.terms_["kind"] == "annotated").to_numpy()
            choice.append(scores[on].nlargest(1, "train_accuracy").assign(**size))
        active = int(model.terms_["active"].sum())
        for split, cells in (("train", train), ("unseen", test)) if model.reconstructs else ():
            explained = variance_explained(model, prepared, cells, train)
            reconstruction.append((number, split, len(cells), active, explained))
    columns = ["fold", "term", "n_train", "n_unseen", "train_accuracy", *METRICS]
    rows = ["fold", "split", "n_cells", "n_terms_active", "variance_explained"]
    return Unseen(
        _mean(accuracy),
        pd.concat(choice)[columns] if choice else pd.DataFrame(columns=columns),
        pd.DataFrame(reconstruction, columns=rows),
    )


def variance_explained(
    model: FactorModel, prepared: AnnData, cells: np.ndarray, train: np.ndarray
) -> float:
    """Return the share of the cells' variance about the training mean that a model reconstructs.

    Parameters
    ----------
    model
        Fitted to the training cells; one that reconstructs.
    prepared
        Prepared data.
    cells, train
        The cells to reconstruct and those of the fit, by position.

    Returns
    -------
    1 - |Y - reconstruction|^2 / |Y - mean of the training cells|^2, over all genes; 1 at most, and
    below 0 where the mean alone is nearer.
    """
    mean = sum(b.sum(0, dtype=float) for _, b in iter_chunks(prepared.X[train])) / len(train)
    left = total = 0.0
    for start in range(0, len(cells), CHUNK):
        part = prepared[cells[start : start + CHUNK]]
        made = model.reconstruct(part).to_numpy()
        Y = np.vstack([block for _, block in iter_chunks(part.X)])
        left += ((Y - made) ** 2).sum(dtype=float)
        total += ((Y - mean) ** 2).sum(dtype=float)
    return 1 - left / total


def _scores(
    loadings: pd.DataFrame, codes: np.ndarray, train: np.ndarray, test: np.ndarray
) -> pd.DataFrame:
    """Score each term on the unseen cells, and its accuracy on the training cells beside it."""
    rows = []
    for term, values in loadings.items():
        x = standardise(values.to_numpy(float), train)
        seen, unseen = score(x, codes, train, train, test)
        rows.append({"term": term, "train_accuracy": seen["accuracy"]} | unseen)
    return pd.DataFrame(rows)


def _mean(accuracy: list[pd.DataFrame]) -> pd.DataFrame:
    if not accuracy:
        return pd.DataFrame(columns=["term", "split", *METRICS])
    mean = pd.concat(accuracy).groupby("term", sort=False)[list(METRICS)].mean().reset_index()
    mean.insert(1, "split", "unseen")
    return mean

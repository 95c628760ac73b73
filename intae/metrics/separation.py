"""How well the loadings of single terms separate labels that no model saw.

A logistic regression of a label on one term's loadings at a time, and the AUROC of each value of a
label against the rest, without a model. What unannotated dense factors change: the best term of
each fit, and its best dense factor.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from ..errors import IntaeError

log = logging.getLogger(__name__)

Split = tuple[np.ndarray, np.ndarray]

SCORES = ("accuracy", "balanced_accuracy", "auroc")
FOLDS = 4


def term_accuracy(
    loadings: pd.DataFrame, label: pd.Series, donors: pd.Series | None = None
) -> pd.DataFrame:
    """Score a logistic regression of a label on each term's loadings, one term at a time.

    `split` train is the paper's measure: fitted and scored on all cells. `split` held_out scores
    each cell by a regression that did not see it (:func:`folds`): whole donors are left out, where
    they are known. The predictions of all folds are scored together (:func:`score`). The factor
    model itself saw the expression (never the label) of all cells.

    Parameters
    ----------
    loadings
        cells x terms.
    label
        The label of each cell, two classes or more.
    donors
        The donor of each cell; None, or a single donor, draws folds of cells (seed 0).

    Returns
    -------
    One row per term and split: term, split, accuracy, balanced_accuracy, auroc.

    Raises
    ------
    IntaeError
        If the label has fewer than two classes.
    """
    codes = label_codes(label)
    everything = np.arange(len(codes))
    splits = folds(codes, donors)
    rows = []
    for term, values in loadings.items():
        x = values.to_numpy(float)
        whole = predict(x, codes, everything, everything)
        unseen = [prediction for fold in splits for prediction in predict(x, codes, *fold)]
        for split, predictions in (("train", whole), ("held_out", unseen)):
            rows.append({"term": term, "split": split} | score(codes, predictions))
    return pd.DataFrame(rows, columns=["term", "split", *SCORES])


def label_codes(label: pd.Series) -> np.ndarray:
    """Number the classes of a label, cell by cell.

    Raises
    ------
    IntaeError
        If the label has fewer than two classes.
    """
    classes, codes = np.unique(label.astype(str), return_inverse=True)
    if len(classes) < 2:
        msg = (
            f"label {label.name!r} has one value only ({classes[0]!r}), so there is nothing to "
            "separate; name another label, or none"
        )
        raise IntaeError(msg)
    return codes


def folds(codes: np.ndarray, donors: pd.Series | None, n_folds: int = FOLDS) -> list[Split]:
    """Split the cells into folds of whole donors, or of random cells where donors are not known.

    Of donors there are as many folds, `n_folds` at most, as leave cells of every class in each
    training and each test part. Where no number of folds does (a class with a single donor, for
    one), there are `n_folds` all the same, with the classes spread as evenly as the donors allow,
    and the log says so: cells of a class that the training cells lack are then guessed wrong.

    Parameters
    ----------
    codes
        Class of each cell, from 0. Cells of one class only are split all the same.
    donors
        The donor of each cell; None, or a single donor, draws folds of cells (seed 0).
    n_folds
        Largest number of folds; of few donors, or of a rare class, there are fewer.

    Returns
    -------
    Training cells and test cells of each fold, by position. A fold whose training cells are all of
    one class is left out, where there are several classes.
    """
    cells, counts = np.zeros((len(codes), 1)), np.bincount(codes)
    with warnings.catch_warnings():  # of rare classes; said below in our own words
        warnings.simplefilter("ignore", UserWarning)
        if donors is None or donors.nunique() < 2:
            kind, n_folds = "random cells", max(2, min(n_folds, counts.min()))
            shuffled = StratifiedKFold(n_folds, shuffle=True, random_state=0)
            splits = list(shuffled.split(cells, codes))
        else:
            kind, names = "whole donors", donors.astype(str).to_numpy()
            n_folds = max(2, min(n_folds, donors.nunique(), counts.max()))
            splits = _folds_of_donors(cells, codes, names, n_folds)
    kept = [fold for fold in splits if len(fold[1]) and _trains(codes, fold[0])]
    if not all(_has_all(codes, part) for fold in kept for part in fold) or len(kept) < len(splits):
        log.warning(
            "no folds of %s have every class in each training and test part; %d of %d cells are "
            "scored", kind, sum(len(test) for _, test in kept), len(codes),
        )  # fmt: skip
    log.info("%d folds of %s", len(kept), kind)
    return kept


def _folds_of_donors(
    cells: np.ndarray, codes: np.ndarray, donors: np.ndarray, n_folds: int
) -> list[Split]:
    if codes.max() == 0:
        return list(GroupKFold(n_folds).split(cells, codes, donors))
    tries = (
        list(StratifiedGroupKFold(n).split(cells, codes, donors)) for n in range(n_folds, 1, -1)
    )
    widest = next(tries)
    for splits in (widest, *tries):
        if all(_has_all(codes, part) for fold in splits for part in fold):
            return splits
    return widest


def _has_all(codes: np.ndarray, part: np.ndarray) -> bool:
    return len(np.unique(codes[part])) == codes.max() + 1


def _trains(codes: np.ndarray, train: np.ndarray) -> bool:
    return codes.max() == 0 or len(np.unique(codes[train])) > 1


class Prediction(NamedTuple):
    """What a regression says of some cells.

    Attributes
    ----------
    cells
        By position.
    chance
        cells x classes: the chance of each class; zero where no training cell is of it.
    """

    cells: np.ndarray
    chance: np.ndarray

    @property
    def guess(self) -> np.ndarray:
        """The likeliest class of each cell."""
        return self.chance.argmax(1)


def predict(
    x: np.ndarray, codes: np.ndarray, train: np.ndarray, *parts: np.ndarray
) -> list[Prediction]:
    """Fit a logistic regression (L2 penalty, C=1) to training cells, and predict sets of cells.

    Parameters
    ----------
    x
        Loadings of one term; here standardised by the mean and spread of the training cells. Where
        they are constant (of a term that is off and not read) the chances are the shares of the
        classes.
    codes
        Class of each cell.
    train, parts
        Cells by position.

    Returns
    -------
    The prediction of each of `parts`.
    """
    n_classes, spread = codes.max() + 1, x[train].std()
    if spread == 0:
        shares = np.bincount(codes[train], minlength=n_classes) / len(train)
        return [Prediction(cells, np.tile(shares, (len(cells), 1))) for cells in parts]
    x = ((x - x[train].mean()) / spread)[:, None]
    unchecked = {"assume_finite": True, "skip_parameter_validation": True}  # a seventh of the time
    with warnings.catch_warnings(), config_context(**unchecked):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression().fit(x[train], codes[train])
    found = []
    for cells in parts:
        chance = np.zeros((len(cells), n_classes))
        chance[:, model.classes_] = model.predict_proba(x[cells])
        found.append(Prediction(cells, chance))
    return found


def score(codes: np.ndarray, predictions: Iterable[Prediction]) -> dict[str, float]:
    """Score predictions, of several folds together.

    Chances of two regressions cannot be ranked together: whichever saw fewer cells of a class
    gives all its cells a smaller chance of it. So the AUROC counts pairs of cells of one fold, over
    all folds; a useless term then has 0.5.

    Returns
    -------
    accuracy, balanced_accuracy (the mean over classes) and auroc: of the second of two classes, or
    the mean over more classes, each against the rest. auroc is NaN where no fold has cells of two
    classes, and all three are where there are no predictions.
    """
    predictions = list(predictions)
    if not predictions:
        return dict.fromkeys(SCORES, np.nan)
    truth = np.concatenate([codes[part.cells] for part in predictions])
    guess = np.concatenate([part.guess for part in predictions])
    classes = list(range(codes.max() + 1)) if codes.max() > 1 else [1]
    right, pairs = np.zeros((2, len(classes)))
    for part in predictions:
        ranks, own = pd.DataFrame(part.chance[:, classes]).rank().to_numpy(), codes[part.cells]
        for i, k in enumerate(classes):
            n = np.sum(own == k)
            right[i] += _pairs_in_order(ranks[:, i], own == k)
            pairs[i] += n * (len(own) - n)
    aurocs = right[pairs > 0] / pairs[pairs > 0]
    return {
        "accuracy": float((truth == guess).mean()),
        "balanced_accuracy": balanced_accuracy(truth, guess),
        "auroc": float(aurocs.mean()) if len(aurocs) else np.nan,
    }


def balanced_accuracy(truth: np.ndarray, guess: np.ndarray) -> float:
    """Return the mean over the classes of the cells of the share guessed right.

    Plain counting: scikit-learn's function, called some ten thousand times, takes half a minute.
    """
    counts = np.bincount(truth)
    right = np.bincount(truth[truth == guess], minlength=len(counts))
    return float((right[counts > 0] / counts[counts > 0]).mean())


def _pairs_in_order(ranks: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Count pairs of a cell that has a value and one that has not, in which the first is larger.

    Parameters
    ----------
    ranks
        Of the cells, from 1, ties sharing their mean rank; or cells x terms. Ties count half.
    has
        Mask of the cells.
    """
    n = int(has.sum())
    return ranks[has].sum(0) - n * (n + 1) / 2


def aurocs(ranks: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Return the chance that a cell of some has a larger loading than one of the others.

    Parameters
    ----------
    ranks
        cells x terms: the ranks of the cells by each term's loadings; see :func:`_pairs_in_order`.
    has
        Mask of the cells.

    Returns
    -------
    Of each term; NaN where the mask holds none or all of the cells.
    """
    n = int(has.sum())
    if not 0 < n < len(has):
        return np.full(ranks.shape[1], np.nan)
    return _pairs_in_order(ranks, has) / (n * (len(has) - n))


def best_term(loadings: pd.DataFrame, label: pd.Series, train: np.ndarray) -> dict[str, object]:
    """Find the term that separates a label best on the training cells, and try it on the others.

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
    if not len(loadings.columns) or len(np.unique(codes[seen])) < 2:
        return {}
    tried = {}
    for term, values in loadings.items():
        parts = predict(values.to_numpy(float), codes, seen, seen, unseen)
        tried[term] = [float((codes[part.cells] == part.guess).mean()) for part in parts]
    best = max(tried, key=lambda term: tried[term][0])
    inside, outside = tried[best]
    return {"best_term": best, "best_accuracy": inside, "best_accuracy_held_out": outside}


SEPARATION_COLUMNS = ("term", "label", "value", "n_cells", "auroc")


def separation_table(loadings: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Score each term against each value of each label, that value against the rest.

    Parameters
    ----------
    loadings
        cells x terms.
    labels
        The same cells x labels, categories.

    Returns
    -------
    term, label, value, n_cells (the cells that have it), auroc: the chance that a cell with the
    value has a larger loading than a cell without (ties count half). 0.5 says nothing, 0 separates
    as well as 1. A label with one value only has no rows.
    """
    ranks = loadings.rank().to_numpy()
    tables = []
    for name, label in labels.items():
        values = label.astype(str).to_numpy()
        for value in np.unique(values):
            has = values == value
            if has.all():
                continue
            columns = (loadings.columns, name, value, int(has.sum()), aurocs(ranks, has))
            tables.append(pd.DataFrame(dict(zip(SEPARATION_COLUMNS, columns, strict=True))))
    blank = pd.DataFrame(columns=list(SEPARATION_COLUMNS))
    return pd.concat(tables or [blank], ignore_index=True)


DENSE_COLUMNS = (
    "dataset", "method", "seed", "n_dense", "term", "accuracy", "unannotated",
    "unannotated_accuracy",
)  # fmt: skip
UNANNOTATED = r"(?:dense|sparse)_\d+$"


def dense_table(accuracy: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Name the term and the unannotated factor of each fit that separate the condition best.

    Parameters
    ----------
    accuracy
        The table accuracy.csv of one data set; the accuracies on all cells (`train`) are used.
    methods
        The methods to list, in order.

    Returns
    -------
    One row per fit: dataset, method, seed, n_dense (its dense factors), term and accuracy of its
    best annotated term, unannotated and unannotated_accuracy of its best unannotated factor (empty
    without one).
    """
    train = accuracy[accuracy["split"] == "train"]
    rows = []
    for method in methods:
        for seed, fit in train[train["method"] == method].groupby("seed", sort=False):
            free = fit["term"].str.match(UNANNOTATED)
            if free.all():
                continue  # without gene sets nothing has a name
            best = fit.loc[fit.loc[~free, "accuracy"].idxmax()]
            number = fit["term"].str.startswith("dense_").sum()
            row = {"dataset": best["dataset"], "method": method, "seed": seed, "n_dense": number}
            row |= {"term": best["term"], "accuracy": best["accuracy"]}
            if free.any():
                other = fit.loc[fit.loc[free, "accuracy"].idxmax()]
                row |= {"unannotated": other["term"], "unannotated_accuracy": other["accuracy"]}
            rows.append(row)
    return pd.DataFrame(rows, columns=list(DENSE_COLUMNS))

"""How well one term's loadings alone separate a label: univariate logistic regression.

How well each term's loadings tell one value of a label from all others, without a model.

What unannotated dense factors change: the best term of each fit, and the best dense factor.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

METRICS = ("accuracy", "balanced_accuracy", "auroc")
FOLDS = 4


def term_accuracy(
    loadings: pd.DataFrame, label: pd.Series, groups: pd.Series | None = None
) -> pd.DataFrame:
    """Score a logistic regression of a label on each term's loadings, one term at a time.

    `split` train is the paper's measure: fitted and scored on all cells. `split` held_out is the
    mean over folds of the score on cells that the regression did not see: whole donors, where
    groups are given. The factor model itself saw the expression (never the label) of all cells.

    Parameters
    ----------
    loadings
        cells x terms.
    label
        The label of each cell, two classes or more.
    groups
        The donor of each cell; None, or a single donor, draws folds of cells (seed 0).

    Returns
    -------
    One row a term and split: term, split, accuracy, balanced_accuracy, auroc (one against the
    rest, averaged, where there are more than two classes). auroc is empty where a fold holds one
    class only.

    Raises
    ------
    ValueError
        If the label has fewer than two classes.
    """
    codes = label_codes(label)
    everything = np.arange(len(codes))
    splits = list(folds(codes, groups))
    rows = []
    for term, values in loadings.items():
        x = standardise(values.to_numpy(float), everything)
        whole = score(x, codes, everything, everything)
        rows.append({"term": term, "split": "train"} | whole[0])
        scores = pd.DataFrame([score(x, codes, train, test)[0] for train, test in splits])
        rows.append({"term": term, "split": "held_out"} | scores.mean().to_dict())
    return pd.DataFrame(rows, columns=["term", "split", *METRICS])


def label_codes(label: pd.Series) -> np.ndarray:
    """Number the classes of a label, cell by cell.

    Raises
    ------
    ValueError
        If the label has fewer than two classes.
    """
    classes, codes = np.unique(label.astype(str), return_inverse=True)
    if len(classes) < 2:
        msg = f"label {label.name!r} has one value only ({classes[0]!r}); nothing to separate"
        raise ValueError(msg)
    return codes


def folds(
    codes: np.ndarray, groups: pd.Series | None, n_folds: int = FOLDS
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split cells by donor, or at random where there are no donors.

    Parameters
    ----------
    codes
        Class of each cell; where there is one class only, cells are split all the same.
    groups
        The donor of each cell; None, or a single donor, draws folds of cells (seed 0).
    n_folds
        Number of folds; of few donors, or of a rare class, there are fewer.

    Yields
    ------
    Cells to train on and cells held out, by position. A fold whose training cells are all of one
    class is left out, where there are several classes.
    """
    blank = np.zeros((len(codes), 1))
    if groups is not None and groups.nunique() > 1:
        n_folds = min(n_folds, groups.nunique())
        splits = GroupKFold(n_folds).split(blank, codes, groups.astype(str).to_numpy())
    else:
        n_folds = max(2, min(n_folds, np.bincount(codes).min()))
        splits = StratifiedKFold(n_folds, shuffle=True, random_state=0).split(blank, codes)
    for train, test in splits:
        if len(np.unique(codes[train])) > 1 or codes.max() == 0:
            yield train, test


def standardise(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return values as a column, by mean and spread of the training cells; zeros if constant."""
    spread = x[train].std()
    return ((x - x[train].mean()) / spread if spread > 0 else np.zeros_like(x))[:, None]


def score(
    x: np.ndarray, codes: np.ndarray, train: np.ndarray, *tests: np.ndarray
) -> list[dict[str, float]]:
    """Fit a logistic regression to the training cells, and score it on each set of cells.

    Parameters
    ----------
    x
        Loadings of one term, a column, standardised; zeros for a term that is off.
    codes
        Class of each cell.
    train, tests
        Cells by position.

    Returns
    -------
    accuracy, balanced_accuracy and auroc for each of `tests`.
    """
    model = None
    if x[train].any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression().fit(x[train], codes[train])
    return [_score(model, x, codes, train, test) for test in tests]


def _score(
    model: LogisticRegression | None,
    x: np.ndarray,
    codes: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
) -> dict[str, float]:
    truth, n_classes = codes[test], codes.max() + 1
    if model is None:  # a term that is off: the largest class, for every cell
        guess = np.full(len(test), np.bincount(codes[train]).argmax())
        return {
            "accuracy": float((truth == guess).mean()),
            "balanced_accuracy": _balanced(truth, guess),
            "auroc": 0.5,
        }
    chance = model.predict_proba(x[test])
    guess = model.classes_[chance.argmax(1)]
    present = np.unique(truth)
    auroc = np.nan
    if n_classes == 2 and len(present) == 2:
        auroc = roc_auc_score(truth, chance[:, 1])
    elif n_classes > 2 and len(present) > 1 and set(present) <= set(model.classes_):
        one_hot = truth[:, None] == present
        columns = np.searchsorted(model.classes_, present)
        auroc = roc_auc_score(one_hot, chance[:, columns], average="macro")
    return {
        "accuracy": float((truth == guess).mean()),
        "balanced_accuracy": _balanced(truth, guess),
        "auroc": auroc,
    }


def _balanced(truth: np.ndarray, guess: np.ndarray) -> float:
    """Return the mean over the classes of the cells of the share guessed right.

    Plain counting: scikit-learn's function, called some ten thousand times, takes half a minute.
    """
    counts = np.bincount(truth)
    right = np.bincount(truth[truth == guess], minlength=len(counts))
    return float((right[counts > 0] / counts[counts > 0]).mean())


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
    ranks = rankdata(loadings.to_numpy(float), axis=0)
    tables = [pd.DataFrame(columns=list(SEPARATION_COLUMNS))]
    for name, label in labels.items():
        values = label.astype(str).to_numpy()
        for value in np.unique(values):
            has = values == value
            n, rest = int(has.sum()), int((~has).sum())
            if not rest:
                continue
            auroc = (ranks[has].sum(0) - n * (n + 1) / 2) / (n * rest)
            tables.append(
                pd.DataFrame(
                    {
                        "term": loadings.columns,
                        "label": name,
                        "value": value,
                        "n_cells": n,
                        "auroc": auroc,
                    }
                )
            )
    return pd.concat(tables[1:] or tables, ignore_index=True)


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
    One row a fit: dataset, method, seed, n_dense (its dense factors), term and accuracy of its best
    annotated term, unannotated and unannotated_accuracy of its best unannotated factor (empty
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

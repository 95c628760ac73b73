"""What unannotated dense factors change: the best term of each fit, and the best dense factor."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

COLUMNS = (
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
    return pd.DataFrame(rows, columns=list(COLUMNS))

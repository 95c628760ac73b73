"""How well each term's loadings tell one value of a label from all others, without a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

COLUMNS = ("term", "label", "value", "n_cells", "auroc")


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
    tables = [pd.DataFrame(columns=list(COLUMNS))]
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

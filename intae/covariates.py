"""Observed covariates X of equation 2: columns of obs as a design matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def design_matrix(
    obs: pd.DataFrame, columns: Sequence[str], categories: dict[str, list[str]] | None = None
) -> tuple[np.ndarray, list[str], dict[str, list[str]]]:
    """Code covariates as numbers: a numeric column as it is, a categorical one as indicators.

    Indicators leave out the first category, since the genes are centred. Numeric columns are
    neither centred nor scaled here.

    Parameters
    ----------
    obs
        One row a cell.
    columns
        The covariates, names of columns of obs.
    categories
        The categories of each categorical column, as returned for the training cells; None to
        take them from `obs`.

    Returns
    -------
    matrix
        cells x covariates, float64.
    names
        One a column of the matrix, `column` or `column=category`.
    categories
        Of each categorical column, sorted.

    Raises
    ------
    ValueError
        If a column is missing, has missing values, or holds a category that is not known.
    """
    known, blocks, names = {}, [], []
    for column in columns:
        if column not in obs:
            msg = f"covariate {column!r} is not a column of obs; there are {', '.join(obs.columns)}"
            raise ValueError(msg)
        values = obs[column]
        if values.isna().any():
            msg = f"covariate {column!r} has {int(values.isna().sum())} missing values"
            raise ValueError(msg)
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            blocks.append(values.to_numpy(np.float64)[:, None])
            names.append(column)
            continue
        values = values.astype(str)
        levels = sorted(values.unique()) if categories is None else categories[column]
        new = sorted(set(values) - set(levels))
        if new:
            msg = f"covariate {column!r}: category {new[0]!r} was not in the training cells"
            raise ValueError(msg)
        known[column] = list(levels)
        blocks.append((values.to_numpy()[:, None] == np.array(levels[1:])).astype(np.float64))
        names += [f"{column}={level}" for level in levels[1:]]
    matrix = np.hstack(blocks) if blocks else np.empty((len(obs), 0))
    return matrix, names, known

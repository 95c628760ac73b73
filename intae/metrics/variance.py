"""How much of the variance of cells a model reconstructs, of cells of the fit or of others."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from ..base import FactorModel
from ..prepared import CHUNK, iter_chunks


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

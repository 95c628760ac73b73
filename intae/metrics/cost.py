"""What a fit costs against the number of cells."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.stats import linregress

from ..io import read_h5ad
from .terms import cost_row

log = logging.getLogger(__name__)

SCALING_COLUMNS = (
    "dataset", "method", "seed", "n_cells", "n_genes", "n_terms", "seconds", "peak_mb",
    "iterations", "converged", "projected", "threads", "device", "cpu",
)  # fmt: skip
MEASURES = ("seconds", "peak_mb")
SHORTEST = 0.1  # seconds; below, set-up and the clock decide
SLOPE_COLUMNS = ("method", "measure", "slope", "standard_error", "n_sizes")
BLOCK = 2048  # cells read at a time


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


def scaling_row(about: Mapping[str, Any]) -> dict[str, object]:
    """Return what a fit cost, and on which processor.

    Parameters
    ----------
    about
        What is known of the run (:func:`intae.fits.about_fit`).
    """
    row = cost_row(about) | {"cpu": about["host"]["cpu"]}
    return {name: row[name] for name in SCALING_COLUMNS}


def slopes(scaling: pd.DataFrame) -> pd.DataFrame:
    """Fit lines to log(cost) against log(number of cells).

    Parameters
    ----------
    scaling
        Rows of the table scaling.csv of one data set. Of several seeds at one size the mean is
        taken; times below a tenth of a second are left out.

    Returns
    -------
    method, measure (seconds or peak_mb), slope (1: proportional to the number of cells; 0: does
    not depend on it), standard_error (empty for fewer than three sizes), n_sizes. No row where
    there are fewer than two sizes.
    """
    rows = []
    for method, part in scaling.groupby("method", sort=False):
        for measure in MEASURES:
            mean = part.groupby("n_cells")[measure].mean()
            if measure == "seconds":
                mean = mean[mean >= SHORTEST]
            if len(mean) < 2:
                continue
            line = linregress(np.log(mean.index.to_numpy(float)), np.log(mean.to_numpy()))
            error = line.stderr if len(mean) > 2 else np.nan
            rows.append((method, measure, line.slope, error, len(mean)))
    return pd.DataFrame(rows, columns=list(SLOPE_COLUMNS))

"""What fits cost: their runtimes and machines, and cost against the number of cells.

All of it is read from what is known of the runs (`fit.json`), not from the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

RUNTIME_COLUMNS = (
    "dataset", "method", "seed", "seconds", "peak_mb", "n_cells", "n_genes", "n_terms",
    "iterations", "converged", "projected", "threads", "device",
)  # fmt: skip
SCALING_COLUMNS = (
    "dataset", "method", "seed", "n_cells", "n_genes", "n_terms", "seconds", "peak_mb",
    "iterations", "converged", "projected", "threads", "device", "cpu",
)  # fmt: skip
SLOPE_COLUMNS = ("method", "measure", "slope", "standard_error", "n_sizes")
MEASURES = ("seconds", "peak_mb")
SHORTEST = 0.1  # seconds; below, set-up and the clock decide


def runtime_row(about: Mapping[str, Any]) -> dict[str, object]:
    """Return what a fit cost.

    `seconds` is the wall time of the fit alone; where the fit was stopped by its budget it is the
    projected time to the end, and `projected` is true. `peak_mb` is the peak resident memory of
    the whole training process, libraries included.

    Parameters
    ----------
    about
        What is known of the run (:func:`intae.fits.about_fit`).
    """
    seconds = about["projected_seconds"] if about["projected"] else about["seconds"]
    row = {**about, "seconds": seconds}
    return {name: row[name] for name in RUNTIME_COLUMNS}


def hosts(runs: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the machines that runs ran on, one row per machine, with the number of fits.

    Parameters
    ----------
    runs
        What is known of each run.
    """
    table = pd.DataFrame([about["host"] for about in runs]).astype(str).sort_index(axis=1)
    return table.groupby(list(table.columns), sort=False).size().reset_index(name="n_fits")


def scaling_row(about: Mapping[str, Any]) -> dict[str, object]:
    """Return what a fit cost (:func:`runtime_row`), and on which processor."""
    row = runtime_row(about) | {"cpu": about["host"]["cpu"]}
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
    from scipy.stats import linregress  # takes a second to import

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

"""The history of a fit: one table for all solvers."""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd

from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)


class History:
    """Rows of `history_`, gathered while a solver works.

    Parameters
    ----------
    penalty
        R, over all terms.
    scale
        Norm of the gradient at the annotation start; certificates are given as a share of it.
    """

    def __init__(self, penalty: Penalty, scale: float):
        self.penalty, self.scale = penalty, scale
        self.rows: list[dict] = []
        self._clock = time.perf_counter()

    def certificate(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Distance of -gradient from the subdifferential of R at W, as a share of `scale`."""
        return float(np.linalg.norm(self.penalty.subdiff_distance(W, gradient))) / self.scale

    def add(self, iteration: int, data_term: float, W: np.ndarray, certificate: float) -> dict:
        """Add a row for W and return it."""
        parts = self.penalty.parts(W)
        off = self.penalty.entries > 0
        row = {
            "iteration": iteration,
            "F": data_term,
            **parts,
            "objective": data_term + sum(parts.values()),
            "certificate": certificate,
            "n_deactivated": int((column_norms(W) == 0).sum()),
            "inactive_zero_share": float((W[off] == 0).mean()) if off.any() else 1.0,
            "seconds": time.perf_counter() - self._clock,
        }
        self.rows.append(row)
        log.debug("%s", row)
        return row

    def table(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.DataFrame(self.rows)

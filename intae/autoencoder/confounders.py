"""Gene sets that stand for something else: a factor that touches a large part of all genes.

On the real data sets and on simulated ones without confounders, a term of the default fit has
weights on at most a few genes outside its set; one that takes up a confounder has them on a third
of all genes and more (benchmarks/defaults.py, n_dense=0).
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

log = logging.getLogger(__name__)

DENSE_SHARE = 0.25  # of all genes, outside the set


def warn_of_confounders(
    W: np.ndarray, annotations: np.ndarray, terms: pd.Index, n_dense: int
) -> None:
    """Warn of annotated terms with weights on a large part of all genes, and tell the mend.

    Parameters
    ----------
    W
        Weights, genes x terms.
    annotations
        I, genes x annotated terms.
    terms
        Names of the terms.
    n_dense
        Dense terms that the fit had.
    """
    added = ((W[:, : annotations.shape[1]] != 0) & (annotations == 0)).sum(0)
    found = np.flatnonzero(added > DENSE_SHARE * len(W))
    if len(found):
        named = ", ".join(f"{terms[k]} ({added[k]} of {len(W)})" for k in found[:3])
        log.warning(
            "annotated terms with weights on a large part of all genes outside their sets: %s%s; "
            "they stand for a confounder or a cell type; try n_dense=%d",
            named, ", ..." if len(found) > 3 else "", n_dense + len(found),
        )  # fmt: skip

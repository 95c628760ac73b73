"""What fits recover of a planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import average_precision_score, roc_auc_score

from .planted import Planted
from .recovery_curves import added_gene_scores


def recovery(fit: AnnData, truth: AnnData) -> pd.DataFrame:
    """Score a fit of simulated data against the truth that stands in the prepared data.

    Parameters
    ----------
    fit
        A fit with annotated terms.
    truth
        Simulated data (:func:`intae.simulate`).

    Returns
    -------
    metric, value, one row each; a value is NaN where it is not defined:

    - average precision of active terms: of the ranking of annotated terms
      (:func:`intae.evaluate.fits.ranking`);
    - loadings |r|: median over active terms of the correlation with the true loadings;
    - AUROC of right genes: of |weight| within the sets of active terms, genes that truly belong
      against genes that are wrongly in the set;
    - average precision of added genes: of the ranking of all genes outside the sets of terms that
      are on (:func:`intae.evaluate.recovery_curves.recovery_curves`);
    - precision and recall of added genes: genes that belong but were not in the set;
    - precision and recall of removed genes: genes that do not belong, in the sets of active terms.

    The last six are NaN where the fit does not weigh genes (plain scores). Empty if the fit has no
    annotated terms.
    """
    planted = Planted.beside(fit, truth)
    if not len(planted.terms):
        return pd.DataFrame(columns=["metric", "value"])
    active, on = planted.active, planted.on
    r = [_r(planted.loadings[:, k], planted.true_loadings[:, k]) for k in np.flatnonzero(active)]
    rows = {
        "average precision of active terms": average_precision_score(active, planted.score),
        "loadings |r|": float(np.median(np.abs(r))),
    }
    genes = dict.fromkeys(
        ("AUROC of right genes", "average precision of added genes", "precision of added genes",
         "recall of added genes", "precision of removed genes", "recall of removed genes"),
        np.nan,
    )  # fmt: skip
    if planted.weighs_genes:
        scored = planted.known & active & on
        right, size = planted.member[scored], planted.size[scored]
        if 0 < right.sum() < len(right):
            genes["AUROC of right genes"] = roc_auc_score(right, size)
        if planted.missing.any():
            genes["average precision of added genes"] = average_precision_score(
                *added_gene_scores(planted)
            )
        changes = {
            "added": (planted.listed("genes_added"), planted.missing),
            "removed": (planted.listed("genes_removed") & active, planted.wrong),
        }
        for name, (found, sought) in changes.items():
            hits = (found & sought).sum()
            genes[f"precision of {name} genes"] = hits / found.sum() if found.any() else np.nan
            genes[f"recall of {name} genes"] = hits / sought.sum() if sought.any() else np.nan
    rows |= genes
    return pd.DataFrame({"metric": list(rows), "value": list(rows.values())})


def _r(x: np.ndarray, y: np.ndarray) -> float:
    if x.std() == 0 or y.std() == 0:
        return 0.0  # a planted term that the fit switched off was not recovered
    return float(np.corrcoef(x, y)[0, 1])

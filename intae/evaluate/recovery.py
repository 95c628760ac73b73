"""What fits recover of a planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import average_precision_score, roc_auc_score

from ..files import loadings, weights
from .tables import ranking


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

    - average precision of active terms: of the ranking of annotated terms (:func:`ranking`);
    - loadings |r|: median over active terms of the correlation with the true loadings;
    - precision and recall of added genes: genes that belong but were not in the set;
    - AUROC of right genes: of |weight| within the sets of active terms, genes that truly belong
      against genes that are wrongly in the set.

    Empty if the fit has no annotated terms.
    """
    terms = fit.uns["terms"]
    names = terms.index[terms["kind"] == "annotated"]
    if not len(names):
        return pd.DataFrame(columns=["metric", "value"])
    planted = truth.uns["true_terms"]
    position = pd.Series(np.arange(len(planted)), planted.index)
    active = planted.loc[names, "active"].to_numpy(bool)
    relevance = ranking(terms.loc[names]).to_numpy()
    true_w = np.asarray(truth.varm["true_weights"])[:, position[names]]
    true_z = np.asarray(truth.obsm["true_loadings"])[:, position[names]]
    known = np.asarray(truth.varm["annotations"])[
        :, [list(truth.uns["terms"]).index(n) for n in names]
    ]
    z, w = loadings(fit)[names].to_numpy(float), np.abs(weights(fit)[names].to_numpy(float))
    on = terms.loc[names, "active"].to_numpy(bool)

    r = [abs(_r(z[:, k], true_z[:, k])) for k in np.flatnonzero(active)]
    added = _membership(terms.loc[names, "genes_added"], fit.var_names)
    absent = (true_w != 0) & (known == 0)
    right = (true_w != 0)[:, active & on][known[:, active & on] > 0]
    size = w[:, active & on][known[:, active & on] > 0]
    rows = {
        "average precision of active terms": average_precision_score(active, relevance),
        "loadings |r|": float(np.median(r)),
        "precision of added genes": added[absent].sum() / added.sum() if added.any() else np.nan,
        "recall of added genes": added[absent].sum() / absent.sum() if absent.any() else np.nan,
        "AUROC of right genes": roc_auc_score(right, size) if 0 < right.mean() < 1 else np.nan,
    }
    return pd.DataFrame({"metric": list(rows), "value": list(rows.values())})


def _membership(lists: pd.Series, genes: pd.Index) -> np.ndarray:
    """Return genes x terms, bool, from the genes named in each term's row."""
    return np.column_stack([genes.isin(str(names).split()) for names in lists])


def _r(x: np.ndarray, y: np.ndarray) -> float:
    if x.std() == 0 or y.std() == 0:
        return 0.0  # a planted term that the fit switched off was not recovered
    return float(np.corrcoef(x, y)[0, 1])

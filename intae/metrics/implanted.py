"""Fits of real counts with an implanted truth, beside that truth.

Does the term whose set was given an activity follow it, more than any other term does? What follows
that should not? And beside the fits: what can be reached at all, and by a plain mean.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.linear_model import RidgeCV
from sklearn.metrics import average_precision_score
from sklearn.model_selection import KFold, cross_val_predict

from ..controls import GeneSetScore
from ..fits import Fit
from ..prepared import annotation_table

COLUMNS = ("term", "metric", "value")
ORACLE = "(oracle)"  # stands for a method: ridge regression on the activity itself
PLAIN_MEAN = "plain_mean"  # the method of the config that is the same
ALIKE = 0.1  # |r| of two activities from which on one set's terms may follow the other's
FOLDS = 5
RIDGE = np.geomspace(1e0, 1e5, 11)


def implanted(fit: Fit, truth: AnnData, follows: float = 0.1) -> pd.DataFrame:
    """Score a fit of real counts against the activities that were implanted in them.

    Parameters
    ----------
    fit
        A fit, of any kinds of terms; the annotated ones are looked at (PCA has none).
    truth
        Prepared data with the truth of :func:`intae.implant` or :func:`intae.implanted_null`.
    follows
        A term follows an activity if their |r| is above this.

    Returns
    -------
    term (of the implanted set), metric, value; several rows per implanted set:

    - kept: whether the set still is a term after the preparation; where it is not, no more is said;
    - top1, top3: whether the term of that name is the one, or one of the three, of all annotated
      terms whose loadings correlate most with the activity; never if it is off;
    - r: |r| of the term's loadings with the activity, 0 if it is off;
    - far: mean |r| of unrelated terms: they share no gene with the set, nor with the genes that
      respond to it or to a set whose activity correlates with it (|r| above .1);
    - followed: how many of these follow, and unrelated: of how many;
    - siblings: how many of the others follow, the term itself aside;
    - genes: average precision of |weight| within the set, genes that respond against those that do
      not; and genes by chance, their share. NaN where no gene is wrong, or the fit weighs none.

    Of a null only far, followed and unrelated, over all terms, and switched on: how many terms are
    active in the fit. Empty if there are no annotated terms.
    """
    terms = fit.terms.index[fit.terms["kind"] == "annotated"]
    if not len(terms):
        return pd.DataFrame(columns=list(COLUMNS))
    known = annotation_table(truth).loc[:, terms] > 0
    loadings = fit.loadings[terms].to_numpy(float)
    weights = np.abs(fit.weights.loc[known.index, terms].to_numpy(float))
    rows = []
    table, responds = truth.uns["implanted"], np.asarray(truth.varm["true_genes"]) != 0
    activity = np.asarray(truth.obsm["true_activity"], float)
    for k, (term, of_null) in enumerate(zip(table.index, table["null"] != "", strict=True)):
        r = correlations(loadings, activity[:, k])
        if of_null:
            scores = _unrelated(r, np.ones(len(terms), dtype=bool), follows)
            scores["switched on"] = float(fit.terms.loc[terms, "active"].sum())
        elif term not in terms:
            scores = {"kept": 0.0}
        else:
            place = terms.get_loc(term)
            inside = known[term].to_numpy()
            near = correlations(activity, activity[:, k]) > ALIKE  # itself among them
            touched = known.to_numpy()[inside | responds[:, near].any(1)].any(0)
            others = touched & (np.arange(len(terms)) != place)
            rank = (r > r[place]).sum()
            scores = {
                "kept": 1.0,
                "top1": float(r[place] > 0 and rank < 1),
                "top3": float(r[place] > 0 and rank < 3),
                "r": r[place],
                **_unrelated(r, ~touched, follows),
                "siblings": float((r[others] > follows).sum()),
                **_genes(weights[inside, place], responds[inside, k], weighs=_weighs(weights)),
            }
        rows += [(term, metric, value) for metric, value in scores.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def correlations(loadings: np.ndarray, activity: np.ndarray) -> np.ndarray:
    """Return |r| of each column of loadings with an activity; 0 where either does not vary.

    Parameters
    ----------
    loadings
        cells x terms.
    activity
        Of each cell.
    """
    z = loadings - loadings.mean(0)
    a = activity - activity.mean()
    size = np.linalg.norm(z, axis=0) * np.linalg.norm(a)
    varies = size > 1e-12 * max(1.0, float(size.max(initial=0.0)))
    return np.where(varies, np.abs(a @ z) / np.where(varies, size, 1.0), 0.0)


def _unrelated(r: np.ndarray, unrelated: np.ndarray, follows: float) -> dict[str, float]:
    return {
        "far": float(r[unrelated].mean()) if unrelated.any() else np.nan,
        "followed": float((r[unrelated] > follows).sum()),
        "unrelated": float(unrelated.sum()),
    }


def _genes(size: np.ndarray, right: np.ndarray, *, weighs: bool) -> dict[str, float]:
    if not weighs or right.all() or not right.any():
        return {"genes": np.nan, "genes by chance": np.nan}
    found = float(average_precision_score(right, size))
    return {"genes": found, "genes by chance": float(right.mean())}


def _weighs(weights: np.ndarray) -> bool:
    """Say whether a fit weighs genes: a plain score's weights are the sets themselves, 0 and 1."""
    return not np.isin(weights, (0, 1)).all()


def reference_rows(truth: AnnData, follows: float = 0.1) -> pd.DataFrame:
    """Return what stands beside the fits: an oracle, and the plain mean of unit-variance genes.

    The oracle is told the activity: of each implanted set, ridge regression of the activity on the
    set's own genes at unit variance, |r| of the values for cells left out (5 folds; the penalty
    chosen in each by leaving one out). No reading of the set's genes alone can be much better.

    Parameters
    ----------
    truth, follows
        See :func:`implanted`.

    Returns
    -------
    method, term, metric, value. Of the oracle r alone, of sets that are terms; none of a null.
    """
    known = annotation_table(truth) > 0
    rows = []
    for k, (term, null) in enumerate(truth.uns["implanted"]["null"].items()):
        if null == "" and term in known:
            genes = truth.X[:, np.flatnonzero(known[term])]
            genes = np.asarray(genes.todense() if hasattr(genes, "todense") else genes, float)
            activity = np.asarray(truth.obsm["true_activity"], float)[:, k]
            rows.append((ORACLE, term, "r", oracle(genes, activity)))
    mean = Fit.of(GeneSetScore("mean").fit(truth), {"method": PLAIN_MEAN}, truth.obs)
    plain = implanted(mean, truth, follows)
    plain.insert(0, "method", PLAIN_MEAN)
    told = pd.DataFrame(rows, columns=["method", *COLUMNS])
    return pd.concat([told, plain], ignore_index=True) if rows else plain


def oracle(genes: np.ndarray, activity: np.ndarray) -> float:
    """Return |r| of an activity with its cross-validated ridge regression on genes.

    Parameters
    ----------
    genes
        cells x genes.
    activity
        Of each cell.
    """
    scale = genes.std(0)
    unit = (genes - genes.mean(0)) / np.where(scale > 0, scale, 1.0)
    folds = KFold(min(FOLDS, len(activity)), shuffle=True, random_state=0)
    found = cross_val_predict(RidgeCV(RIDGE), unit, activity, cv=folds)
    return float(correlations(found[:, None], activity)[0])

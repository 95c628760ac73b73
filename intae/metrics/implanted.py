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
      terms whose loadings correlate most with the activity; never if its are zero (:class:`.Fit`);
    - r: |r| of the term's loadings with the activity, 0 if these are zero;
    - far: mean |r| of unrelated terms: they share no gene with the set, nor with the genes that
      respond to it or to a set whose activity correlates with it (|r| above .1);
    - followed: how many of these follow, and unrelated: of how many;
    - siblings: how many of the others follow, the term itself aside;
    - called: whether the method calls the term (:func:`calls`); called unrelated: how many of the
      unrelated terms it calls, rightly or not, since real cells differ in more than was implanted;
      called followed: how many of these follow as well, which is wrong;
    - share called: of all terms of the fit, the share that it calls, the same for every set;
    - genes: average precision of |weight| within the set, genes that respond against those that do
      not; and genes by chance, their share. NaN where no gene is wrong, or the fit weighs none.

    Of a null only far, followed, unrelated, called followed and share called, over all terms, and
    called, switched on: how many terms are called, and how many are active in the fit. Empty if
    there are no annotated terms.
    """
    terms = fit.terms.index[fit.terms["kind"] == "annotated"]
    if not len(terms):
        return pd.DataFrame(columns=list(COLUMNS))
    known = annotation_table(truth).loc[:, terms] > 0
    loadings = fit.loadings[terms].to_numpy(float)
    weights = np.abs(fit.weights.loc[known.index, terms].to_numpy(float))
    called, rows = calls(fit.terms.loc[terms]), []
    table, responds = truth.uns["implanted"], np.asarray(truth.varm["true_genes"]) != 0
    activity = np.asarray(truth.obsm["true_activity"], float)
    for k, (term, of_null) in enumerate(zip(table.index, table["null"] != "", strict=True)):
        r = correlations(loadings, activity[:, k])
        if of_null:
            scores = _unrelated(r, np.ones(len(terms), dtype=bool), called, follows)
            scores["called"] = scores.pop("called unrelated")
            scores["share called"] = float(called.mean())
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
                **_unrelated(r, ~touched, called, follows),
                "siblings": float((r[others] > follows).sum()),
                "called": float(called[place]),
                "share called": float(called.mean()),
                **_genes(weights[inside, place], responds[inside, k], weighs=weighs(weights)),
            }
        rows += [(term, metric, value) for metric, value in scores.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def calls(terms: pd.DataFrame) -> np.ndarray:
    """Say of each row of a fit's table of terms whether the method calls the term.

    It does if the term is `detected` where the method says so, else if it is `active`.
    """
    return terms["detected" if "detected" in terms else "active"].to_numpy(bool)


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


def _unrelated(
    r: np.ndarray, unrelated: np.ndarray, called: np.ndarray, follows: float
) -> dict[str, float]:
    return {
        "far": float(r[unrelated].mean()) if unrelated.any() else np.nan,
        "followed": float((r[unrelated] > follows).sum()),
        "unrelated": float(unrelated.sum()),
        "called unrelated": float(called[unrelated].sum()),
        "called followed": float((called & (r > follows))[unrelated].sum()),
    }


def _genes(size: np.ndarray, right: np.ndarray, *, weighs: bool) -> dict[str, float]:
    if not weighs or right.all() or not right.any():
        return {"genes": np.nan, "genes by chance": np.nan}
    found = float(average_precision_score(right, size))
    return {"genes": found, "genes by chance": float(right.mean())}


def weighs(weights: np.ndarray) -> bool:
    """Say whether a fit weighs genes: a plain score's weights are the sets themselves, 0 and 1."""
    return not np.isin(weights, (0, 1)).all()


CALL_COLUMNS = (
    "method", "n_draws", "n_draws_null", "sets_called", "sets", "share_called",
    "share_called_null", "false_discovery_rate", "fdr_min", "fdr_max",
)  # fmt: skip


def false_discoveries(truth: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """Hold what each method calls in draws with a truth against what it calls in their null.

    Real cells differ in more than what was implanted, so a term that is called there may be right
    though nothing was implanted in it. In the matched null all gene sets hold random genes; what is
    called there is false. So, as in a permutation test,

        false discovery rate = share of terms called in the null / share of terms called in a draw,

    at most 1. Shares are means over seeds and draws.

    Parameters
    ----------
    truth, null
        Tables of :func:`implanted` with dataset (a draw), method and seed in front.

    Returns
    -------
    One row per method of both: method, n_draws and n_draws_null (draws that were fitted),
    sets_called of so many implanted sets (means over seeds, summed over draws), share_called,
    share_called_null, false_discovery_rate, and its least and largest value over all pairs of a
    draw with a draw of the null, fdr_min and fdr_max. Rates are NaN where a method calls nothing.
    """
    rows = []
    for method in dict.fromkeys(truth["method"]):
        own = truth[truth["method"] == method]
        shares = [_share_called(table[table["method"] == method]) for table in (truth, null)]
        if any(share.empty for share in shares):
            continue
        sets = own[own["metric"] == "called"].groupby(["dataset", "term"])["value"].mean()
        rates = [_rate(b, a) for a in shares[0] for b in shares[1]]
        rates = [rate for rate in rates if not np.isnan(rate)] or [np.nan]
        means = [share.mean() for share in shares]
        rows.append(
            (method, *map(len, shares), sets.sum(), len(sets), *means,
             _rate(means[1], means[0]), min(rates), max(rates))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(CALL_COLUMNS))


def _share_called(table: pd.DataFrame) -> pd.Series:
    """Return the share of terms called in each draw, the mean over seeds."""
    return table[table["metric"] == "share called"].groupby("dataset")["value"].mean()


def _rate(null: float, truth: float) -> float:
    return min(1.0, null / truth) if truth > 0 else np.nan


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

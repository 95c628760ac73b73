"""Fits of simulated data beside the truth that was planted in them.

What they recover; precision against recall of planted terms, and of planted corrections of their
sets; which terms they call active although they are not, and whether those overlap active ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.special import stdtr
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from ..fits import Fit
from ..prepared import get_annotations, get_terms
from ..readout import false_discovery_rates
from .terms import ranking


@dataclass(frozen=True)
class Planted:
    """The annotated terms of a fit, in its own order, and what is true of them.

    Attributes
    ----------
    terms
        The fit's table of terms.
    genes
        Names of the genes.
    on, score
        Of each term in the fit: whether it is active, and a positive number that ranks it
        (:func:`intae.metrics.terms.ranking`); 0 for terms that are off and all alike.
    active
        Of each term in truth: whether it is active.
    loadings, true_loadings
        cells x terms.
    size
        genes x terms, the absolute weights of the fit.
    known, member
        genes x terms, bool: the gene is in the set; the gene truly belongs to the (active) term.
    """

    terms: pd.DataFrame
    genes: pd.Index
    on: np.ndarray
    score: np.ndarray
    active: np.ndarray
    loadings: np.ndarray
    true_loadings: np.ndarray
    size: np.ndarray
    known: np.ndarray
    member: np.ndarray

    @classmethod
    def beside(cls, fit: Fit, truth: AnnData) -> Self:
        """Lay a fit of simulated data beside the truth in the prepared data.

        Parameters
        ----------
        fit
            A fit, of any kinds of terms; the annotated ones are kept (PCA has none).
        truth
            Simulated data (:func:`intae.simulate`), the same cells and genes.
        """
        terms = fit.terms
        terms = terms[terms["kind"] == "annotated"]
        rank = ranking(terms)
        alike = ~terms["active"].astype(bool) & rank.duplicated(keep=False)
        planted = truth.uns["true_terms"]
        place, column = planted.index.get_indexer(terms.index), get_terms(truth)
        return cls(
            terms=terms,
            genes=fit.weights.index,
            on=terms["active"].to_numpy(bool),
            score=np.where(alike, 0, rank + 1),
            active=planted["active"].to_numpy(bool)[place],
            loadings=fit.loadings[terms.index].to_numpy(float),
            true_loadings=np.asarray(truth.obsm["true_loadings"], float)[:, place],
            size=np.abs(fit.weights[terms.index].to_numpy(float)),
            known=get_annotations(truth)[:, column.get_indexer(terms.index)] > 0,
            member=np.asarray(truth.varm["true_weights"])[:, place] != 0,
        )

    @property
    def missing(self) -> np.ndarray:
        """genes x terms, bool: the gene belongs and is not in the set."""
        return self.member & ~self.known

    @property
    def wrong(self) -> np.ndarray:
        """genes x terms, bool: the gene is in an active term's set and does not belong."""
        return self.known & ~self.member & self.active

    @property
    def weighs_genes(self) -> bool:
        """Whether the fit weighs genes at all: a plain score's weights are the set itself."""
        outside = self.size[:, self.on][~self.known[:, self.on]]
        sets = (self.size[self.known[:, k], k] for k in np.flatnonzero(self.on))
        return outside.any() or any(np.ptp(s) > 1e-6 * s.max() for s in sets)

    def listed(self, column: str) -> np.ndarray:
        """Return genes x terms, bool, from the genes named in a column of the table of terms."""
        lists = [str(names).split() for names in self.terms[column]]
        return np.column_stack([self.genes.isin(names) for names in lists])


def recovery(fit: Fit, truth: AnnData) -> pd.DataFrame:
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
      (:func:`intae.metrics.terms.ranking`);
    - loadings |r|: median over active terms of the correlation with the true loadings;
    - AUROC of right genes: of |weight| within the sets of active terms, genes that truly belong
      against genes that are wrongly in the set;
    - average precision of added genes: of the ranking of all genes outside the sets of terms that
      are on (:func:`intae.metrics.truth.recovery_curves`);
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
        return 0.0  # of a planted term that is off and not read
    return float(np.corrcoef(x, y)[0, 1])


CURVE_COLUMNS = ("what", "n_ranked", "recall", "precision", "chance")


def recovery_curves(fit: Fit, truth: AnnData, n_points: int = 200) -> pd.DataFrame:
    """Follow precision and recall down three rankings of a fit of simulated data.

    - terms: annotated terms by relevance (:func:`intae.metrics.terms.ranking`); sought are the
      active ones.
    - added genes: pairs of a gene and a term that is on in the fit, the gene outside the term's
      set, by |weight| (what the penalties see). Sought are the genes that belong and are not in
      the set.
    - wrong genes: genes in the sets of active terms, the smallest |weight| first, relative to the
      root mean square of the set's. Sought are the genes that do not belong.

    What a fit does not rank (terms that are off and all alike, weights that are zero) is never
    found, so that a curve may end before recall 1; recall counts all that was planted.

    Parameters
    ----------
    fit, truth
        See :func:`intae.metrics.truth.recovery`.
    n_points
        Largest number of points of a curve.

    Returns
    -------
    what, n_ranked (how far down the ranking), recall, precision, chance (precision of a random
    order): one row for each sought thing found, in order. A fit that does not weigh genes (plain
    scores) has no curves of genes, one without annotated terms none at all.
    """
    planted = Planted.beside(fit, truth)
    parts = []
    if len(planted.terms):
        parts.append(_curve("terms", planted.active, planted.score, n_points))
        if planted.weighs_genes:
            parts.append(_curve("added genes", *added_gene_scores(planted), n_points))
            parts.append(_curve("wrong genes", *wrong_gene_scores(planted), n_points))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts or [pd.DataFrame(columns=list(CURVE_COLUMNS))])


def added_gene_scores(planted: Planted) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each gene outside a set, whether it belongs and its |weight|, 0 in a term off."""
    outside = ~planted.known
    return planted.missing[outside], (planted.size * planted.on)[outside]


def wrong_gene_scores(planted: Planted) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each gene of an active term's set, whether it is wrong and how small its weight.

    The score is 0 where the term is off in the fit; elsewhere the smaller the weight the larger.
    """
    inside = planted.known & planted.active
    square = np.where(planted.known, planted.size**2, 0.0).sum(0) / planted.known.sum(0)
    relative = planted.size / np.sqrt(np.where(square > 0, square, 1.0))
    return planted.wrong[inside], (planted.on / (1 + relative))[inside]


def _curve(what: str, sought: np.ndarray, score: np.ndarray, n_points: int) -> pd.DataFrame:
    """Return precision and recall at each sought thing found, from the top of the ranking."""
    if not sought.any() or not (score > 0).any():
        return pd.DataFrame(columns=list(CURVE_COLUMNS))
    precision, recall, threshold = precision_recall_curve(sought, score)
    ranked = slice(None, len(threshold))  # the last point, recall 0, has no threshold
    curve = pd.DataFrame({"recall": recall[ranked], "precision": precision[ranked]})
    curve = curve[(threshold > 0) & (curve["recall"] > 0)].iloc[::-1]
    curve = curve.drop_duplicates("recall")  # where a sought thing is found, not those after it
    if len(curve) > n_points:
        curve = curve.iloc[np.linspace(0, len(curve) - 1, n_points).round().astype(int)]
    found = curve["recall"] * sought.sum()
    curve.insert(0, "n_ranked", (found / curve["precision"]).round().astype(int))
    curve.insert(0, "what", what)
    return curve.assign(chance=sought.mean())


RULES = ("switched on", "top ranked", "differs between conditions")
OUTCOMES = ("true", "false, overlaps a true one", "false, overlaps none")


def false_positives(
    fit: Fit, truth: AnnData, share: float = 0.25, fdr: float = 0.05
) -> pd.DataFrame:
    """Count the terms that a fit of simulated data calls active, rightly and wrongly.

    Three rules say what a fit calls active:

    - switched on: the term is active in the fit;
    - top ranked: it is among the most relevant (:func:`intae.metrics.terms.ranking`), as many as
      are active in truth. Fair to methods that switch nothing off;
    - differs between conditions: it is active and its loadings do, by Welch's t test,
      Benjamini-Hochberg over the terms. True is here only the term that carries the condition:
      this is how one would look for the pathways that a treatment changes, one after the other.

    Parameters
    ----------
    fit, truth
        See :func:`intae.metrics.truth.recovery`.
    share
        A false term overlaps a true one if at least this share of its genes is in that one's set.
    fdr
        False discovery rate of the third rule.

    Returns
    -------
    rule, outcome, n (terms called active), of (terms with that outcome if all were called active);
    empty if the fit has no annotated terms.
    """
    planted = Planted.beside(fit, truth)
    if not len(planted.terms):
        return pd.DataFrame(columns=["rule", "outcome", "n", "of"])
    strength = truth.uns["true_terms"].loc[planted.terms.index, "strength"].to_numpy()
    carrier = np.arange(len(strength)) == strength.argmax()  # by intae.simulate
    rank = np.empty(len(planted.score), dtype=int)
    rank[np.argsort(-planted.score, kind="stable")] = np.arange(1, len(rank) + 1)
    different = planted.on & _different(planted.loadings, fit.obs["condition"].to_numpy(str), fdr)
    called = {
        "switched on": (planted.on, planted.active),
        "top ranked": ((planted.score > 0) & (rank <= planted.active.sum()), planted.active),
        "differs between conditions": (different, carrier),
    }
    rows = []
    for rule, (chosen, true) in called.items():
        near = ~true & (overlap(planted.known, true) >= share)
        for outcome, group in zip(OUTCOMES, (true, near, ~true & ~near), strict=True):
            rows.append((rule, outcome, int((chosen & group).sum()), int(group.sum())))
    return pd.DataFrame(rows, columns=["rule", "outcome", "n", "of"])


def overlap(known: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return of each set the share of its genes in that true set with which it shares most.

    Parameters
    ----------
    known
        genes x terms, bool.
    true
        terms, bool.
    """
    sets = known.astype(float)
    shared = sets.T @ sets[:, true]
    return shared.max(1, initial=0.0) / sets.sum(0)


def _different(loadings: np.ndarray, condition: np.ndarray, fdr: float) -> np.ndarray:
    """Say of each term whether its loadings differ between the first condition and the others."""
    first = condition == np.unique(condition)[0]
    varies = loadings.std(0) > 0
    p = np.ones(loadings.shape[1])
    if varies.any():
        p[varies] = _welch(loadings[first][:, varies], loadings[~first][:, varies])
    return false_discovery_rates(p) < fdr


def _welch(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the p value of Welch's t-test for each column, 1 where there is none.

    SciPy's takes a second to import.
    """
    with np.errstate(all="ignore"):
        u, v = (part.var(0, ddof=1) / len(part) for part in (a, b))
        df = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
        t = (a.mean(0) - b.mean(0)) / np.sqrt(u + v)
        return np.nan_to_num(2 * stdtr(df, -np.abs(t)), nan=1.0)

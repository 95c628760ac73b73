"""Precision against recall of planted terms, and of planted corrections of their sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import precision_recall_curve

from ..tables import stack
from .planted import Planted

COLUMNS = ("what", "n_ranked", "recall", "precision", "chance")


def recovery_curves(fit: AnnData, truth: AnnData, n_points: int = 200) -> pd.DataFrame:
    """Follow precision and recall down three rankings of a fit of simulated data.

    - terms: annotated terms by relevance (:func:`intae.evaluate.fits.ranking`); sought are the
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
        See :func:`intae.evaluate.recovery.recovery`.
    n_points
        Largest number of points of a curve.

    Returns
    -------
    what, n_ranked (how far down the ranking), recall, precision, chance (precision of a random
    order): a row for each sought thing found, in order. A fit that does not weigh genes (plain
    scores) has no curves of genes, one without annotated terms none at all.
    """
    planted = Planted.beside(fit, truth)
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    if len(planted.terms):
        parts.append(_curve("terms", planted.active, planted.score, n_points))
        if planted.weighs_genes:
            parts.append(_curve("added genes", *added_gene_scores(planted), n_points))
            parts.append(_curve("wrong genes", *wrong_gene_scores(planted), n_points))
    return stack(parts)


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
        return pd.DataFrame(columns=list(COLUMNS))
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

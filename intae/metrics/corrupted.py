"""Fits of corrupted gene sets, beside the right ones: do the weights correct the annotation?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import average_precision_score

from ..fits import Fit
from ..prepared import get_annotations, get_terms
from .implanted import weighs

COLUMNS = ("term", "metric", "value")
POOLED, POOLED_ON = "(all)", "(terms on)"  # in place of a term: genes of all terms in one ranking


def corrupted(fit: Fit, truth: AnnData) -> pd.DataFrame:
    """Score |weights| of a fit against the gene sets as they were before they were corrupted.

    Each score is an average precision, the area under the curve of precision against recall (AUPR)
    of genes ranked by |weight|; the right genes are those of the uncorrupted set.

    Parameters
    ----------
    fit
        A fit of the corrupted sets that weighs genes.
    truth
        The data that it was fitted to, of :func:`intae.corrupt_annotations`.

    Returns
    -------
    term, metric, value:

    - all genes: of all genes by |weight|; of a term that is off, chance;
    - mask: the same with the corrupted set itself as score, 1 inside and 0 outside: what a plain
      score reaches, which weighs no genes;
    - inside: genes of the corrupted set alone, the right ones against the wrong ones put in;
    - outside: all others, those that were taken out against the rest;
    - all genes, inside and outside by chance: the share of right genes there, which a random order
      reaches; NaN, and the score with it, where there are none or no others;
    - active: whether the term is on.

    Besides the annotated terms, `(all)`: genes of all terms in one ranking; `(terms on)`: of those
    that are active, if any is. Empty if the fit has no annotated terms or weighs no genes.
    """
    terms = fit.terms.index[fit.terms["kind"] == "annotated"]
    weights = np.abs(fit.weights[terms].to_numpy(float))
    if not len(terms) or not weighs(weights):
        return pd.DataFrame(columns=list(COLUMNS))
    place = get_terms(truth).get_indexer(terms)
    right = np.asarray(truth.varm["true_annotations"])[:, place] > 0
    known = get_annotations(truth)[:, place] > 0
    on = fit.terms.loc[terms, "active"].to_numpy(bool)
    groups = {term: [k] for k, term in enumerate(terms)} | {POOLED: range(len(terms))}
    if on.any():
        groups[POOLED_ON] = np.flatnonzero(on)
    rows = []
    for name, columns in groups.items():
        size, mask, true = (table[:, columns].ravel() for table in (weights, known, right))
        rows += [(name, *score) for score in _scores(size, mask, true)]
        if name in terms:
            rows.append((name, "active", float(on[columns[0]])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _scores(size: np.ndarray, mask: np.ndarray, right: np.ndarray) -> Iterator[tuple[str, float]]:
    yield "mask", average_precision(right, mask)
    every = np.ones_like(mask)
    for name, genes in (("all genes", every), ("inside", mask), ("outside", ~mask)):
        yield name, average_precision(right[genes], size[genes])
        mixed = right[genes].any() and not right[genes].all()
        yield f"{name} by chance", float(right[genes].mean()) if mixed else np.nan


def average_precision(right: np.ndarray, score: np.ndarray) -> float:
    """Return the average precision; NaN where nothing is right, or nothing wrong."""
    mixed = right.any() and not right.all()
    return float(average_precision_score(right, score)) if mixed else np.nan

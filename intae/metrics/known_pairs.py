"""Terms that must mark certain cells: is the term higher there, and is any other term better?

Known pairs are named by the config, each with its source: the B cell receptor's signalling marks B
cells, interferon signalling marks stimulated cells. They are truths on real data.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import IntaeError
from ..fits import Fit
from .separation import aurocs

log = logging.getLogger(__name__)

COLUMNS = (
    "term", "label", "value", "n_cells", "kept", "active", "auroc", "rank", "n_terms", "best_term",
    "best_auroc",
)  # fmt: skip
OR = " or "  # between the values of one pair


def known_pairs(fit: Fit, pairs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Score a fit by pairs of a term and the cells that it must mark.

    AUROC = P(z_marked > z_other) + P(z_marked = z_other) / 2, of a marked cell and one of all
    others, z the loadings of the term. The direction counts: the signs of loadings are oriented by
    the term's own genes, so that its activity must be *higher* in the cells that it marks. A term
    that is lower there has an AUROC below .5 and marks something else, though it separates.

    Parameters
    ----------
    fit
        A fit with labels of the cells; its annotated terms are looked at (PCA has none).
    pairs
        Mappings with `term`, `label` (a column of the labels), `values` (of that column; several
        are marked together). More keys, as `source`, are left alone.

    Returns
    -------
    One row per pair:

    - term, label, value: the pair; several values are joined by "or";
    - n_cells: how many cells the term must mark;
    - kept: whether the term is one of the fit; the preparation may have dropped it;
    - active: whether it is on;
    - auroc: .5 where the loadings are constant, as of a term that is off and not read;
    - rank: of the term among the `n_terms` annotated ones by their AUROC for the same cells, 1 the
      best; terms that are equal share the better rank;
    - best_term, best_auroc: the first of that ranking.

    Of a term that was dropped, active, auroc, rank and the best term are NaN; of a pair that names
    no cell, or all of them, auroc, rank and the best term. Empty without annotated terms.

    Raises
    ------
    IntaeError
        If the cells do not have the label of a pair.
    """
    annotated = fit.terms["kind"] == "annotated"
    loadings = fit.loadings.loc[:, annotated.to_numpy()]
    ranks = loadings.rank().to_numpy()
    rows = []
    for pair in pairs if len(loadings.columns) else ():
        term, label, values = pair["term"], pair["label"], [str(v) for v in pair["values"]]
        if label not in fit.obs:
            msg = f"known pair {term!r}: the cells have no label {label!r}; name it under labels:"
            raise IntaeError(msg)
        marked = np.isin(fit.obs[label].astype(str).to_numpy(), values)
        row = {
            "term": term, "label": label, "value": OR.join(values), "n_cells": int(marked.sum()),
            "kept": term in loadings, "n_terms": len(loadings.columns),
        }  # fmt: skip
        if row["kept"]:
            row["active"] = bool(fit.terms.loc[term, "active"])
            row |= _placed(term, pd.Series(aurocs(ranks, marked), loadings.columns))
        if not 0 < row["n_cells"] < len(marked):
            log.warning(
                "known pair %s: %d of %d cells have %s %s, so there is nothing to score",
                term, row["n_cells"], len(marked), label, row["value"],
            )  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _placed(term: str, scores: pd.Series) -> dict[str, Any]:
    """Return the score of a term among those of all terms, where there are scores."""
    if scores.isna().any():
        return {}
    return {
        "auroc": scores[term], "rank": int((scores > scores[term]).sum()) + 1,
        "best_term": scores.idxmax(), "best_auroc": scores.max(),
    }  # fmt: skip

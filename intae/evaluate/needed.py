"""What each term of an exact fit is needed for, in the words of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from ..autoencoder.model import Autoencoder
from ..prepared import split_terms

NEEDED_COLUMNS = (
    "term", "relevance", "necessity", "share", "carried", "irreplaceable", "stand_ins",
    "stand_in_growth", "stand_in_r", "stand_in_holds",
)  # fmt: skip


def needed_terms(model: Autoencoder, prepared: AnnData) -> pd.DataFrame:
    """Tell what each active term is needed for, and which terms take its place without it.

    Parameters
    ----------
    model
        Fitted by the `exact` solver.
    prepared
        The data it was fitted to.

    Returns
    -------
    One row an active term, the most relevant first: term, relevance; necessity (how much F + R
    rises when the term is forbidden and the others are refitted) and share (the same, of F + R);
    carried (the rise before the others are refitted) and irreplaceable (necessity / carried: 0,
    others take all of it over; 1, nothing replaces the term; of a tiny `carried` it tells nothing);
    stand_ins (up to three terms that grow most, " | " between them), stand_in_growth (by how much,
    in units of the term's own norm, separated by a space), stand_in_r (|correlation| of the first
    stand-in's loadings then with the term's now) and stand_in_holds (share of the term's genes that
    the first stand-in's set holds; 1: it contains the term).
    """
    table = model.necessity(prepared).reset_index()
    table["relevance"] = model.terms_["relevance"].reindex(table["term"]).to_numpy()
    table["necessity"] = table["rise"]
    table["share"] = table["rise"] / model.history_["objective"].iloc[-1]
    table["irreplaceable"] = table["rise"] / table["carried"]
    firsts = [split_terms(names)[:1] for names in table["stand_ins"]]
    table["stand_in_holds"] = [
        _holds(model, term, first[0]) if first else np.nan
        for term, first in zip(table["term"], firsts, strict=True)
    ]
    return table.sort_values("relevance", ascending=False)[list(NEEDED_COLUMNS)]


def _holds(model: Autoencoder, term: str, other: str) -> float:
    """Return the share of a term's genes that another's set holds; NaN for terms without a set."""
    known = model.annotations_ > 0
    positions = model.terms_.index.get_indexer([term, other])
    if positions.max() >= known.shape[1]:
        return np.nan
    own, others = known[:, positions].T
    return float((own & others).sum() / own.sum())

"""Which term to look at where a model switched the one asked for off."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

LEAST_SHARED = 0.25  # Jaccard index of two gene sets that are about the same thing


def active_or_nearest(
    terms: pd.DataFrame, annotations: pd.DataFrame, wanted: Iterable[str]
) -> dict[str, str | None]:
    """Find for each term the one to look at in a fit: itself, if it is on, or one near it.

    Near is an active term whose gene set shares at least a quarter of the genes of both (Jaccard
    index, within the data's genes); of several the most relevant one. Labels of cells play no part.

    Parameters
    ----------
    terms
        The table of terms of a fit, indexed by name.
    annotations
        genes x annotated terms, 0/1.
    wanted
        Names of annotated terms.

    Returns
    -------
    Each wanted term -> the term to look at; None where it is off and none is near.
    """
    I = annotations.to_numpy(float)
    sizes = I.sum(0)
    on = terms.loc[annotations.columns, "active"].astype(bool)
    relevance = terms.loc[annotations.columns, "relevance"]
    found: dict[str, str | None] = {}
    for term in wanted:
        own = annotations[term].to_numpy(float)
        shared = own @ I
        jaccard = shared / (sizes + own.sum() - shared)
        near = relevance[on & (jaccard >= LEAST_SHARED)]
        found[term] = term if on[term] else None if near.empty else str(near.idxmax())
    return found

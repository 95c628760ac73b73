"""Agreement of loadings between methods, term by term."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from anndata import AnnData

from ..files import loadings


def correlate(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Correlate the loadings of each term that both have.

    Parameters
    ----------
    a, b
        cells x terms, the same cells in the same order.

    Returns
    -------
    Pearson's r, a term each; NaN where a term is constant in one of them.
    """
    shared = [term for term in a.columns if term in set(b.columns)]
    x, y = a[shared].to_numpy(float), b[shared].to_numpy(float)
    x, y = x - x.mean(0), y - y.mean(0)
    norms = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(norms > 0, (x * y).sum(0) / norms, np.nan)
    return pd.Series(r, index=pd.Index(shared, name="term"), name="r")


def correlation_table(fits: Mapping[str, AnnData], reference: str) -> pd.DataFrame:
    """Correlate the annotated terms' loadings between every two methods.

    Parameters
    ----------
    fits
        Method -> one fit of it, all of the same cells.
    reference
        The method by whose relevance the terms are ranked.

    Returns
    -------
    method_a, method_b, term, r, relevance_rank (1 is the most relevant to the reference). r is
    empty where the term is off in one of the two.
    """
    annotated = {m: f for m, f in fits.items() if (f.uns["terms"]["kind"] == "annotated").any()}
    blank = pd.DataFrame(columns=["method_a", "method_b", "term", "r", "relevance_rank"])
    if not annotated:
        return blank
    reference = reference if reference in annotated else next(iter(annotated))
    terms = annotated[reference].uns["terms"]
    terms = terms[terms["kind"] == "annotated"]
    rank = terms["relevance"].rank(ascending=False, method="first").astype(int)
    parts = [blank]
    for a, b in combinations(annotated, 2):
        r = correlate(loadings(annotated[a])[terms.index], loadings(annotated[b])[terms.index])
        on = [annotated[m].uns["terms"].loc[terms.index, "active"].to_numpy(bool) for m in (a, b)]
        table = r.where(on[0] & on[1]).reset_index()
        table.insert(0, "method_a", a)
        table.insert(1, "method_b", b)
        table["relevance_rank"] = table["term"].map(rank)
        parts.append(table)
    return pd.concat([p for p in parts if len(p)] or parts)

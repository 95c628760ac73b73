"""Families of terms in fits: a table of them, and what two fits, or unseen cells, say by family.

Terms among which the data cannot decide are one family (:mod:`intae.autoencoder.families`), of
which now this and now that name is on. By family two fits agree as far as the same families have a
term that is on, and the loadings of a family are those of its most relevant term that is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..fits import Fit
from ..prepared import join_terms

FAMILY_COLUMNS = (
    "family", "n_terms", "n_active", "members", "active", "n_genes", "r", "r_min",
)  # fmt: skip
DRAWS = 100


def families_of(fit: Fit, annotations: pd.DataFrame) -> pd.DataFrame:
    """List the families of a fit of which a term is on.

    Parameters
    ----------
    fit
        Of a model that finds families.
    annotations
        genes x annotated terms, 0/1.

    Returns
    -------
    One row per family, the most relevant first: family, n_terms, n_active, members (terms, " | "
    between them, the most relevant first), active (those that are on), n_genes (in any member's
    set), r (median over the members besides the one that names the family, of |correlation| of
    their loadings with those of the factor whose place they could take) and r_min; both are empty
    of a term by itself.
    """
    terms = fit.terms[fit.terms["kind"] == "annotated"]
    terms = terms.sort_values("relevance", ascending=False, kind="stable")
    rows = []
    for family, part in terms.groupby("family", sort=False):
        on = part["active"].astype(bool)
        if on.any():
            r = part["family_r"].drop(family)
            n_genes = int((annotations[part.index] > 0).any(axis=1).sum())
            names = join_terms(part.index), join_terms(part.index[on])
            rows.append((family, len(part), on.sum(), *names, n_genes, r.median(), r.min()))
    return pd.DataFrame(rows, columns=list(FAMILY_COLUMNS))


def have_families(terms: Iterable[pd.DataFrame]) -> bool:
    """Say whether any of these tables of terms has a family of several terms."""
    return any("family" in table and (table["family"] != table.index).any() for table in terms)


def jaccard(families: pd.Series, one: pd.Index, other: pd.Index) -> float:
    """Return the Jaccard index of the families of two sets of terms; 0 where both are empty.

    Parameters
    ----------
    families
        The family of each term, indexed by its name.
    one, other
        Terms.
    """
    a, b = set(families[one]), set(families[other])
    return len(a & b) / max(1, len(a | b))


def jaccard_by_chance(families: pd.Series, pairs: Sequence[tuple[pd.Index, pd.Index]]) -> list:
    """Return the Jaccard index of each pair by random families: what coarsening alone would do.

    The families of the terms that are in any of the pairs are dealt out among these terms anew (100
    draws, of which the mean is returned), so that their number and their sizes stay.

    Parameters
    ----------
    families
        The family of each term, indexed by its name.
    pairs
        Two sets of terms each.
    """
    rng = np.random.default_rng(0)
    met = families.index[families.index.isin({t for pair in pairs for on in pair for t in on})]
    found = np.zeros((DRAWS, len(pairs)))
    for row in found:
        drawn = pd.Series(rng.permutation(families[met].to_numpy()), met)
        row[:] = [jaccard(drawn, *pair) for pair in pairs]
    return list(found.mean(0))


def stands_for(terms: pd.DataFrame) -> pd.Series:
    """Return the term whose loadings are those of each term's family.

    Parameters
    ----------
    terms
        The table of terms of a fit of a model that finds families.

    Returns
    -------
    Term -> the most relevant active term of its family; itself where none is on.
    """
    on = terms[terms["active"].astype(bool)].sort_values("relevance", kind="stable")
    leaders = pd.Series(on.index, on["family"]).groupby(level=0).last()
    return terms["family"].map(leaders).fillna(pd.Series(terms.index, terms.index))

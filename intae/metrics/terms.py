"""The terms of a fit as tables: their ranks, the corrections of their gene sets, the training.

Also which term to look at in a fit that has no loadings of the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ..fits import Fit

FIT_COLUMNS = ("dataset", "method", "seed")
TERM_COLUMNS = (
    "term", "kind", "n_genes", "relevance", "rank", "active", "genes_added", "genes_removed",
    "detected", "q_value", "specific", "family",
)  # fmt: skip
HISTORY_COLUMNS = ("iteration", "F", "objective", "n_deactivated", "inactive_zero_share")
CORRECTION_COLUMNS = ("term", "gene", "change", "weight")


def terms_of(fit: Fit) -> pd.DataFrame:
    """Return a fit's terms with their rank (1 is the most relevant; see :func:`ranking`).

    detected, q_value, specific and family are empty where the method does not say them.
    """
    terms = fit.terms.reset_index(names="term")
    terms["rank"] = ranking(terms).rank(ascending=False, method="first").astype(int)
    return terms.reindex(columns=list(TERM_COLUMNS))


def ranking(terms: pd.DataFrame) -> pd.Series:
    """Return a score for each term that ranks them, the larger the more relevant.

    By relevance; terms that are off, all alike in that, by the `evidence` for them, where the
    method has such a column (the autoencoder has: :mod:`intae.autoencoder.moves`).

    Parameters
    ----------
    terms
        A fit's table of terms.

    Returns
    -------
    Whole numbers, equal where the method does not tell terms apart.
    """
    by = ["relevance"]
    if "evidence" in terms and terms["evidence"].notna().all():
        # among active terms the norm is the measure, so that evidence must not decide there
        off = terms["evidence"].where(~terms["active"].astype(bool), 0.0)
        return terms.assign(evidence=off).groupby([*by, "evidence"], sort=True).ngroup()
    return terms.groupby(by, sort=True).ngroup()


def history_of(fit: Fit) -> pd.DataFrame:
    """Return how an autoencoder's training went, one row per epoch; of other fits nothing.

    F is the reconstruction error and the penalty on loadings, per cell (equation 3 without R),
    `objective` is F + R, and `inactive_zero_share` is the share at zero of the weights that the
    annotation does not name.
    """
    history = fit.history
    if not set(HISTORY_COLUMNS) <= set(history):
        history = pd.DataFrame(columns=list(HISTORY_COLUMNS))
    return history[list(HISTORY_COLUMNS)]


def corrected_genes(fit: Fit, most: int = 100) -> pd.DataFrame:
    """List the genes added to and removed from the active annotated terms of a fit.

    Parameters
    ----------
    fit
        The fit.
    most
        Largest number of genes listed as added to a term, and as removed from it. Where the
        published autoencoder is not yet sparse, it adds nearly all genes to every term. `terms_`
        lists them all.

    Returns
    -------
    term, gene, change (added or removed), weight; of each term first the genes added, the largest
    |weight| first, then those removed, the smallest first, as these are the surest. A method says
    itself what it added and removed: f-scLVM by the probability that the gene belongs to the
    term, the autoencoder by a weight that is not zero.
    """
    on = (fit.terms["kind"] == "annotated") & fit.terms["active"].astype(bool)
    parts = []
    for term, row in fit.terms[on].iterrows():
        for change in ("added", "removed"):
            genes = str(row[f"genes_{change}"]).split()
            weight = fit.weights.loc[genes, term]
            surest = weight.abs().sort_values(ascending=change == "removed").index[:most]
            part = {"term": term, "gene": surest, "change": change, "weight": weight[surest].values}
            parts.append(pd.DataFrame(part))
    parts = [part for part in parts if len(part)]
    blank = pd.DataFrame(columns=list(CORRECTION_COLUMNS))
    return pd.concat(parts or [blank], ignore_index=True)


LEAST_SHARED = 0.25  # Jaccard index of two gene sets that are about the same thing


def own_or_nearest(
    fit: Fit, annotations: pd.DataFrame, wanted: Iterable[str]
) -> dict[str, str | None]:
    """Find for each term the one to look at: itself, if it has loadings, or one near it.

    Near is an active term whose gene set shares at least a quarter of the genes of both (Jaccard
    index, within the data's genes); of several the most relevant one. Labels of cells play no part.

    Parameters
    ----------
    fit
        The fit; `Fit.has_loadings` says which of its terms have loadings.
    annotations
        genes x annotated terms, 0/1.
    wanted
        Names of annotated terms.

    Returns
    -------
    Each wanted term -> the term to look at; None where it has no loadings and none is near.
    """
    I = annotations.to_numpy(float)
    sizes = I.sum(0)
    on = fit.terms.loc[annotations.columns, "active"].astype(bool)
    relevance = fit.terms.loc[annotations.columns, "relevance"]
    found: dict[str, str | None] = {}
    for term in wanted:
        own = annotations[term].to_numpy(float)
        shared = own @ I
        jaccard = shared / (sizes + own.sum() - shared)
        near = relevance[on & (jaccard >= LEAST_SHARED)]
        stand_in = None if near.empty else str(near.idxmax())
        found[term] = term if fit.has_loadings(term) else stand_in
    return found

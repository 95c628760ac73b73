"""Tables of fits: what they cost, and their terms.

Genes that a fit adds to gene sets, and removes from them.

Which term to look at where a model switched the one asked for off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ..benchmark.tables import FIT_COLUMNS, HISTORY_COLUMNS, stack
from ..fits import Fit

RUNTIME_COLUMNS = (
    "dataset", "method", "seed", "seconds", "peak_mb", "n_cells", "n_genes", "n_terms",
    "iterations", "converged", "projected", "threads", "device",
)  # fmt: skip


def runtime_row(fit: Fit) -> dict[str, object]:
    """Return what a fit cost.

    `seconds` is the wall time of the fit alone; where the fit was stopped by its budget it is the
    projected time to the end, and `projected` is true. `peak_mb` is the peak resident memory of
    the whole training process, libraries included.
    """
    return cost_row(fit.about)


def cost_row(about: Mapping[str, Any]) -> dict[str, object]:
    """Return the same of what is known of a run (:func:`intae.fits.about_fit`)."""
    row = {name: about[name] for name in RUNTIME_COLUMNS if name in about}
    row["seconds"] = about["projected_seconds"] if about["projected"] else about["seconds"]
    return {name: row[name] for name in RUNTIME_COLUMNS}


def hosts(fits: Iterable[Fit]) -> pd.DataFrame:
    """Return the machines that fits ran on, one row each, with the number of fits."""
    table = pd.DataFrame([dict(fit.about["host"]) for fit in fits]).astype(str)
    return table.groupby(list(table.columns), sort=False).size().reset_index(name="n_fits")


def terms_of(fit: Fit) -> pd.DataFrame:
    """Return a fit's terms with their rank (1 is the most relevant; see :func:`ranking`)."""
    terms = fit.terms.reset_index(names="term")
    terms["rank"] = ranking(terms).rank(ascending=False, method="first").astype(int)
    columns = ["term", "kind", "n_genes", "relevance", "rank", "active", "genes_added"]
    return label(terms[[*columns, "genes_removed"]], fit)


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
    """Return the course of an autoencoder's training, a row an epoch; of other fits nothing.

    F is the reconstruction and the penalty on loadings, a cell (equation 3 without R), `objective`
    F + R, `inactive_zero_share` the share at zero of the weights that the annotation does not name.
    """
    history = fit.history
    if not set(HISTORY_COLUMNS) <= set(history):
        history = pd.DataFrame(columns=list(HISTORY_COLUMNS))
    return label(history[list(HISTORY_COLUMNS)], fit)


def label(table: pd.DataFrame, fit: Fit) -> pd.DataFrame:
    """Put data set, method and seed of a fit in front of a table."""
    about = fit.about
    table = table.copy()
    for position, name in enumerate(FIT_COLUMNS):
        table.insert(position, name, about[name])
    return table


def corrected_genes(fit: Fit, most: int = 100) -> pd.DataFrame:
    """List the genes added to and removed from the active annotated terms of a fit.

    Parameters
    ----------
    fit
        The fit.
    most
        Genes listed at most, added or removed, of a term: where the published autoencoder is not
        yet sparse, it adds nearly all genes to every term. `terms_` lists them all.

    Returns
    -------
    term, gene, change (added or removed), weight; of each term first the genes added, the largest
    |weight| first, then those removed, the smallest first, as these are the surest. A method says
    itself what it added and removed: f-scLVM by the probability that the gene belongs to the
    term, the autoencoder by a weight that is not zero.
    """
    terms, W = fit.terms, fit.weights
    terms = terms[(terms["kind"] == "annotated") & terms["active"].astype(bool)]
    parts = [pd.DataFrame(columns=["term", "gene", "change", "weight"])]
    for term, row in terms.iterrows():
        for change in ("added", "removed"):
            genes = str(row[f"genes_{change}"]).split()
            if not genes:
                continue
            weight = W.loc[genes, term]
            weight = weight.loc[
                weight.abs().sort_values(ascending=change == "removed").index[:most]
            ]
            parts.append(
                pd.DataFrame(
                    {"term": term, "gene": weight.index, "change": change, "weight": weight.values}
                )
            )
    return stack(parts).reset_index(drop=True)


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

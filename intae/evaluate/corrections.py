"""Genes that a fit adds to gene sets, and removes from them."""

from __future__ import annotations

import pandas as pd
from anndata import AnnData

from ..files import weights
from ..tables import stack


def corrected_genes(fit: AnnData, most: int = 100) -> pd.DataFrame:
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
    terms, W = fit.uns["terms"], weights(fit)
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

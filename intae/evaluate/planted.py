"""A fit laid beside the truth that its data were drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..files import loadings, weights
from ..prepared import get_annotations, get_terms
from .fits import ranking


@dataclass(frozen=True)
class Planted:
    """The annotated terms of a fit, in its own order, and what is true of them.

    Attributes
    ----------
    terms
        The fit's table of terms.
    genes
        Names of the genes.
    on, score
        Of each term in the fit: whether it is active, and a positive number that ranks it
        (:func:`intae.evaluate.fits.ranking`); 0 for terms that are off and all alike.
    active
        Of each term in truth: whether it is active.
    loadings, true_loadings
        cells x terms.
    size
        genes x terms, the absolute weights of the fit.
    known, member
        genes x terms, bool: the gene is in the set; the gene truly belongs to the (active) term.
    """

    terms: pd.DataFrame
    genes: pd.Index
    on: np.ndarray
    score: np.ndarray
    active: np.ndarray
    loadings: np.ndarray
    true_loadings: np.ndarray
    size: np.ndarray
    known: np.ndarray
    member: np.ndarray

    @classmethod
    def beside(cls, fit: AnnData, truth: AnnData) -> Self:
        """Lay a fit of simulated data beside the truth in the prepared data.

        Parameters
        ----------
        fit
            A fit, of any kinds of terms; the annotated ones are kept (PCA has none).
        truth
            Simulated data (:func:`intae.simulate`), the same cells and genes.
        """
        terms = fit.uns["terms"]
        terms = terms[terms["kind"] == "annotated"]
        rank = ranking(terms)
        alike = ~terms["active"].astype(bool) & rank.duplicated(keep=False)
        planted = truth.uns["true_terms"]
        place, column = planted.index.get_indexer(terms.index), get_terms(truth)
        return cls(
            terms=terms,
            genes=fit.var_names,
            on=terms["active"].to_numpy(bool),
            score=np.where(alike, 0, rank + 1),
            active=planted["active"].to_numpy(bool)[place],
            loadings=loadings(fit)[terms.index].to_numpy(float),
            true_loadings=np.asarray(truth.obsm["true_loadings"], float)[:, place],
            size=np.abs(weights(fit)[terms.index].to_numpy(float)),
            known=get_annotations(truth)[:, column.get_indexer(terms.index)] > 0,
            member=np.asarray(truth.varm["true_weights"])[:, place] != 0,
        )

    @property
    def missing(self) -> np.ndarray:
        """genes x terms, bool: the gene belongs and is not in the set."""
        return self.member & ~self.known

    @property
    def wrong(self) -> np.ndarray:
        """genes x terms, bool: the gene is in an active term's set and does not belong."""
        return self.known & ~self.member & self.active

    @property
    def weighs_genes(self) -> bool:
        """Whether the fit weighs genes at all: a plain score's weights are the set itself."""
        outside = self.size[:, self.on][~self.known[:, self.on]]
        sets = (self.size[self.known[:, k], k] for k in np.flatnonzero(self.on))
        return outside.any() or any(np.ptp(s) > 1e-6 * s.max() for s in sets)

    def listed(self, column: str) -> np.ndarray:
        """Return genes x terms, bool, from the genes named in a column of the table of terms."""
        lists = [str(names).split() for names in self.terms[column]]
        return np.column_stack([self.genes.isin(names) for names in lists])

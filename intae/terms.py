"""The terms of a factor model: their names and kinds, their signs, and the table of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .errors import IntaeError
from .prepared import TERM_COLUMNS


def term_index(annotated: pd.Index, n_sparse: int, n_dense: int) -> tuple[pd.Index, pd.Series]:
    """Name all terms: the annotated ones, then `sparse_1...`, then `dense_1...`.

    Returns
    -------
    The names and, indexed by them, the kind of each.

    Raises
    ------
    IntaeError
        If a gene set has the name of an unannotated term.
    """
    names = [*annotated, *(f"sparse_{i + 1}" for i in range(n_sparse))]
    names += [f"dense_{i + 1}" for i in range(n_dense)]
    kinds = ["annotated"] * len(annotated) + ["sparse"] * n_sparse + ["dense"] * n_dense
    index = pd.Index(names, name="term")
    if not index.is_unique:
        msg = f"a gene set has the name of an unannotated term: {index[index.duplicated()][0]!r}"
        raise IntaeError(msg)
    return index, pd.Series(kinds, index=index, name="kind")


def signs(weights: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """Return the sign of each term that orients it.

    Parameters
    ----------
    weights
        genes x terms.
    annotations
        genes x annotated terms; the terms beyond are summed over all genes.

    Returns
    -------
    Array of 1 and -1, one per term.
    """
    sums = weights.sum(0)
    known = annotations.shape[1]
    sums[:known] = (weights[:, :known] * annotations).sum(0)
    return np.where(sums < 0, -1.0, 1.0)


def terms_table(
    kinds: pd.Series,
    annotations: np.ndarray,
    genes: pd.Index,
    *,
    relevance: np.ndarray,
    active: np.ndarray,
    on: np.ndarray,
) -> pd.DataFrame:
    """Make the table of terms that every model gives.

    Parameters
    ----------
    kinds
        Kind of each term, indexed by its name.
    annotations
        genes x annotated terms, 0/1.
    genes
        Names of the genes.
    relevance
        One number per term, the larger the more relevant, never negative.
    active
        Whether the term is on, one bool per term.
    on
        genes x terms, bool: the gene takes part in the term according to the fit.
    """
    names = genes.to_numpy(str)
    n_known = annotations.shape[1]
    table = pd.DataFrame({"kind": kinds})
    table["n_genes"] = 0
    table.iloc[:n_known, table.columns.get_loc("n_genes")] = annotations.sum(0).astype(int)
    table["relevance"] = np.asarray(relevance, dtype=float)
    table["active"] = np.asarray(active, dtype=bool)
    added, removed = [], []
    for k in range(len(table)):
        in_set = annotations[:, k].astype(bool) if k < n_known else on[:, k]
        live = bool(active[k])
        added.append(" ".join(names[on[:, k] & ~in_set]) if live else "")
        removed.append(" ".join(names[in_set & ~on[:, k]]) if live else "")
    table["genes_added"], table["genes_removed"] = added, removed
    return table[list(TERM_COLUMNS)]

"""Tables of fits: what they cost, and their terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from anndata import AnnData

from ..tables import FIT_COLUMNS, HISTORY_COLUMNS

RUNTIME_COLUMNS = (
    "dataset", "method", "seed", "seconds", "peak_mb", "n_cells", "n_genes", "n_terms",
    "iterations", "converged", "projected", "threads", "device",
)  # fmt: skip


def runtime_row(fit: AnnData) -> dict[str, object]:
    """Return what a fit cost.

    `seconds` is the wall time of the fit alone; where the fit was stopped by its budget it is the
    projected time to the end, and `projected` is true. `peak_mb` is the peak resident memory of
    the whole training process, libraries included.
    """
    return cost_row(fit.uns["fit"])


def cost_row(about: Mapping[str, Any]) -> dict[str, object]:
    """Return the same of what is known of a run (:func:`intae.files.about_fit`)."""
    row = {name: about[name] for name in RUNTIME_COLUMNS if name in about}
    row["seconds"] = about["projected_seconds"] if about["projected"] else about["seconds"]
    return {name: row[name] for name in RUNTIME_COLUMNS}


def hosts(fits: Iterable[AnnData]) -> pd.DataFrame:
    """Return the machines that fits ran on, one row each, with the number of fits."""
    table = pd.DataFrame([dict(fit.uns["fit"]["host"]) for fit in fits]).astype(str)
    return table.groupby(list(table.columns), sort=False).size().reset_index(name="n_fits")


def terms_of(fit: AnnData) -> pd.DataFrame:
    """Return a fit's terms with their rank (1 is the most relevant; see :func:`ranking`)."""
    terms = fit.uns["terms"].reset_index(names="term")
    terms["rank"] = ranking(terms).rank(ascending=False, method="first").astype(int)
    columns = ["term", "kind", "n_genes", "relevance", "rank", "active", "genes_added"]
    return label(terms[[*columns, "genes_removed"]], fit)


def ranking(terms: pd.DataFrame) -> pd.Series:
    """Return a score for each term that ranks them, the larger the more relevant.

    By relevance; terms that are off, all alike in that, by the `evidence` for them, where the
    method has such a column (the autoencoder has: :mod:`intae.autoencoder.evidence`).

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


def history_of(fit: AnnData) -> pd.DataFrame:
    """Return the course of an autoencoder's training, a row an epoch; of other fits nothing.

    F is the reconstruction and the penalty on loadings, a cell (equation 3 without R), `objective`
    F + R, `inactive_zero_share` the share at zero of the weights that the annotation does not name.
    """
    history = fit.uns["history"]
    if not set(HISTORY_COLUMNS) <= set(history):
        history = pd.DataFrame(columns=list(HISTORY_COLUMNS))
    return label(history[list(HISTORY_COLUMNS)], fit)


def label(table: pd.DataFrame, fit: AnnData) -> pd.DataFrame:
    """Put data set, method and seed of a fit in front of a table."""
    about = fit.uns["fit"]
    table = table.copy()
    for position, name in enumerate(FIT_COLUMNS):
        table.insert(position, name, about[name])
    return table

"""Tables of fits: what they cost, and their terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from anndata import AnnData

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
    """Return a fit's terms with their rank by relevance (1 is the most relevant)."""
    terms = fit.uns["terms"].reset_index(names="term")
    terms["rank"] = terms["relevance"].rank(ascending=False, method="first").astype(int)
    columns = ["term", "kind", "n_genes", "relevance", "rank", "active", "genes_added"]
    return label(terms[[*columns, "genes_removed"]], fit)


def label(table: pd.DataFrame, fit: AnnData) -> pd.DataFrame:
    """Put data set, method and seed of a fit in front of a table."""
    about = fit.uns["fit"]
    table = table.copy()
    for position, name in enumerate(("dataset", "method", "seed")):
        table.insert(position, name, about[name])
    return table

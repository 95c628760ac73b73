"""Tidy tables, their columns, and as CSV files; imports little, as each join of tables is a job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..io import whole_file

HISTORY_COLUMNS = ("iteration", "F", "objective", "n_deactivated", "inactive_zero_share")

FIT_COLUMNS = ("dataset", "method", "seed")
# The columns of a data set's tables that take rows from each of its fits.
PART_COLUMNS = {
    "accuracy": (*FIT_COLUMNS, "term", "label", "split", "accuracy", "balanced_accuracy", "auroc"),
    "corrections": (*FIT_COLUMNS, "term", "gene", "change", "weight"),
    "false_positives": (*FIT_COLUMNS, "rule", "outcome", "n", "of"),
    "history": (*FIT_COLUMNS, *HISTORY_COLUMNS),
    "recovery": (*FIT_COLUMNS, "metric", "value"),
    "recovery_curves": (*FIT_COLUMNS, "what", "n_ranked", "recall", "precision", "chance"),
    "separation": (*FIT_COLUMNS, "term", "label", "value", "n_cells", "auroc"),
    "stability": ("dataset", "method", "kind", "term", "r", "r_min", "r_max", "n_pairs"),
    "terms": (
        *FIT_COLUMNS, "term", "kind", "n_genes", "relevance", "rank", "active", "genes_added",
        "genes_removed",
    ),
}  # fmt: skip


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a tidy table as CSV, whole or not at all; numbers keep six digits."""
    with whole_file(path) as part:
        table.to_csv(part, index=False, float_format="%.6g")


def stack(tables: Iterable[pd.DataFrame], name: str | None = None) -> pd.DataFrame:
    """Put tables under one another.

    Parameters
    ----------
    tables
        Of the same columns. Those without rows, which have no types, are left out.
    name
        Of the whole, one of `PART_COLUMNS`: what columns it has where there is no table at all,
        since no fit ran to its end.
    """
    tables = list(tables)
    if not tables and name is not None:
        return pd.DataFrame(columns=list(PART_COLUMNS[name]))
    return pd.concat([t for t in tables if len(t)] or tables[:1])


def read_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read CSV files of the same columns into one table."""
    return stack(pd.read_csv(path) for path in paths)

"""Tidy tables, their columns, and as CSV files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..fits import read_facts
from ..io import whole_file
from ..metrics.cost import hosts, runtime_row
from ..metrics.known_pairs import COLUMNS as PAIR_COLUMNS
from ..metrics.terms import CORRECTION_COLUMNS, FIT_COLUMNS, HISTORY_COLUMNS, TERM_COLUMNS

DIGITS = "%.6g"
# The columns of a data set's tables that take rows from each of its fits.
PART_COLUMNS = {
    "accuracy": (*FIT_COLUMNS, "term", "label", "split", "accuracy", "balanced_accuracy", "auroc"),
    "corrections": (*FIT_COLUMNS, *CORRECTION_COLUMNS),
    "corrupted": (*FIT_COLUMNS, "term", "metric", "value"),
    "false_positives": (*FIT_COLUMNS, "rule", "outcome", "n", "of"),
    "history": (*FIT_COLUMNS, *HISTORY_COLUMNS),
    "implanted": (*FIT_COLUMNS, "term", "metric", "value"),
    "known_pairs": (*FIT_COLUMNS, *PAIR_COLUMNS),
    "recovery": (*FIT_COLUMNS, "metric", "value"),
    "recovery_curves": (*FIT_COLUMNS, "what", "n_ranked", "recall", "precision", "chance"),
    "separation": (*FIT_COLUMNS, "term", "label", "value", "n_cells", "auroc"),
    "stability": ("dataset", "method", "kind", "term", "r", "r_min", "r_max", "n_pairs"),
    "terms": (*FIT_COLUMNS, *TERM_COLUMNS),
}  # fmt: skip


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a tidy table as CSV, whole or not at all; numbers keep six digits."""
    with whole_file(path) as part:
        table.to_csv(part, index=False, float_format=DIGITS)


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
    tables = [t for t in tables if len(t)] or tables[:1]
    # beside a table in which a column is empty, pandas would write True as 1.0
    yes_or_no = {column for t in tables for column in t.select_dtypes(bool)}
    return pd.concat([
        t.astype({c: object for c in yes_or_no.intersection(t.columns[t.isna().all()])})
        for t in tables
    ])  # fmt: skip


def read_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read CSV files of the same columns into one table."""
    return stack(pd.read_csv(path) for path in paths)


def write_run_tables(
    facts: Iterable[str | Path],
    parts: Mapping[str, Iterable[str | Path]],
    paths: Mapping[str, str | Path],
) -> None:
    """Write the tables of a run: those of its data sets joined, and what its fits cost, and where.

    Parameters
    ----------
    facts
        Paths of what is known of each fit.
    parts
        Table -> its paths, one per data set.
    paths
        Table -> the path to write; `runtime` and `host` beside the tables of `parts`.
    """
    fits = [read_facts(path) for path in facts]
    write_table(pd.DataFrame([runtime_row(about) for about in fits]), paths["runtime"])
    write_table(hosts(fits), paths["host"])
    for name, tables in parts.items():
        write_table(read_tables(tables), paths[name])


def write_scores(tables: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write the tables of one fit into one ZIP file of CSV files, whole or not at all."""
    with whole_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            entry = zipfile.ZipInfo(f"{name}.csv")  # without the time, so that bytes repeat
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, table.to_csv(index=False, float_format=DIGITS))


def read_scores(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read what :func:`write_scores` wrote: table -> its rows."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".csv"): pd.read_csv(archive.open(name))
            for name in archive.namelist()
        }


def label(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """Put data set, method and seed of a fit in front of a table."""
    table = table.copy()
    for position, name in enumerate(FIT_COLUMNS):
        table.insert(position, name, about[name])
    return table

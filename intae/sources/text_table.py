"""Tables in text files: counts of genes in cells, and metadata of cells.

The separator (comma, semicolon, tab) and the decimal sign are told from the first lines, since
programs of offices write them by the language of the computer.
"""

from __future__ import annotations

import csv
import gzip
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..errors import IntaeError
from ..io import reading

log = logging.getLogger(__name__)

ENCODING = "utf-8-sig"  # UTF-8, with or without the mark that Excel puts first
ROWS = 500  # lines of a text table read at a time
LINES = 20  # lines that tell the separator and the decimal sign
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan")  # words for no value; None is a name
# what Seurat, scanpy and featureCounts write beside counts, in lower case
NO_EXPRESSION = frozenset(
    """ncount_rna nfeature_rna n_counts n_genes n_umi numi ngene total_counts n_genes_by_counts
    pct_counts_mt percent.mt percent_mt percent.mito percent_mito chr chromosome start end strand
    length orig.ident seurat_clusters""".split()
)
FEW = 20  # columns of text beside numbers; more are a table that is something else


@dataclass(frozen=True)
class Layout:
    """How a text table is written: its separator and its decimal sign."""

    separator: str
    decimal: str


def layout_of(path: Path) -> Layout:
    """Tell how a table is written from its first lines; by its name if they say nothing."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding=ENCODING, newline="") as file:
        lines = [line for line in islice(file, LINES) if line.strip()]
    by_name = "," if path.name.lower().removesuffix(".gz").endswith(".csv") else "\t"
    if not lines:
        return Layout(by_name, ".")
    widths = {
        separator: [len(row) for row in csv.reader(lines, delimiter=separator)]
        for separator in (by_name, *",;\t".replace(by_name, ""))
    }
    # The first line may lack the name of the column of names, as R writes it. Decimal commas do
    # not part all lines alike, and if they do, not into as many fields as the separator does.
    even = {
        separator: of_lines[-1]
        for separator, of_lines in widths.items()
        if len(set(of_lines[1:])) <= 1 and of_lines[-1] - of_lines[0] in (0, 1)
    }
    separator = max(even, key=even.__getitem__) if even else by_name
    if even.get(separator, 1) < 2:
        separator = by_name
    fields = [field for row in csv.reader(lines[1:], delimiter=separator) for field in row[1:]]
    commas = sum(bool(re.fullmatch(r"-?\d+,\d+", field)) for field in fields)
    points = sum(bool(re.fullmatch(r"-?\d+\.\d+", field)) for field in fields)
    found = Layout(separator, "," if commas and not points else ".")
    if found != Layout(by_name, "."):
        called = {",": "commas", ";": "semicolons", "\t": "tabs"}[separator]
        comma = " and decimal commas" if found.decimal == "," else ""
        log.warning("%s: is read with %s between its columns%s", path, called, comma)
    return found


def read_counts(path: Path, genes_in: str, beside: Collection[str] = ()) -> AnnData:
    """Read a table of expression some lines at a time into a sparse matrix.

    Columns that hold no number at all, and those that count tools write beside counts
    (`NO_EXPRESSION`), are no expression: they go to var where genes are in the rows, and to obs
    where cells are.

    Parameters
    ----------
    path
        The table: a column of names first, and a line of names first.
    genes_in
        `columns` or `rows`.
    beside
        Further columns that are no expression, such as labels.

    Raises
    ------
    IntaeError
        Naming the file, the column and a value that is no number.
    """
    layout = layout_of(path)
    blocks, rows, columns, apart, others = [], [], None, [], []
    for part in pd.read_csv(
        path, sep=layout.separator, decimal=layout.decimal, index_col=0, chunksize=ROWS,
        encoding=ENCODING, dtype=dict.fromkeys(beside, str), keep_default_na=False,
        na_values=list(MISSING),
    ):  # fmt: skip
        texts = [name for name, kind in part.dtypes.items() if kind.kind not in "iufb"]
        if columns is None:
            columns, apart = part.columns, _no_expression(path, part, texts, beside)
        wrong = [name for name in texts if name not in apart] if len(part) else []
        if wrong:
            raise IntaeError(_text(path, part, wrong[0]))
        rows += part.index.astype(str).tolist()
        others.append(part[apart])
        blocks.append(sparse.csr_matrix(part.drop(columns=apart).to_numpy(np.float32)))
    if columns is None or len(columns) == len(apart):
        msg = f"{path}: holds no numbers; is the separator {layout.separator!r}?"
        raise IntaeError(msg)
    X = sparse.vstack(blocks, format="csr")
    header = pd.Index(_header(path, layout.separator, columns))
    across = pd.DataFrame(index=header[~columns.isin(apart)])
    along = pd.concat(others).set_axis(pd.Index(rows))
    if genes_in == "rows":
        return AnnData(sparse.csr_matrix(X.T), obs=across, var=along)
    return AnnData(X, obs=along, var=across)


def _no_expression(
    path: Path, part: pd.DataFrame, texts: list[str], beside: Collection[str]
) -> list[str]:
    """Return the columns that stand beside the expression."""
    named = [c for c in part.columns if c in beside or str(c).lower() in NO_EXPRESSION]
    texts = [c for c in texts if c not in named] if len(part) else []
    for column in texts:  # a gene with a word among its numbers is a mistake
        values = part[column].dropna().astype(str).str.replace(",", ".", regex=False)
        if pd.to_numeric(values, errors="coerce").notna().any() or len(texts) > FEW:
            raise IntaeError(_text(path, part, column))
    apart = [c for c in part.columns if c in named or c in texts]
    surprising = [c for c in apart if c not in beside]
    if surprising:
        log.warning(
            "%s: taken for no expression, so they stand beside it: %s", path,
            ", ".join(map(repr, surprising)),
        )  # fmt: skip
    return apart


def _text(path: Path, part: pd.DataFrame, column: str) -> str:
    values = part[column].dropna().astype(str)
    numbers = pd.to_numeric(values, errors="coerce").notna()
    shown = values[~numbers].iloc[0] if (~numbers).any() else values.iloc[0]
    return f"{path}: column {column!r} holds text, such as {shown!r}, not numbers"


def _header(path: Path, separator: str, columns: pd.Index) -> list[str]:
    """Return the names of a table's columns as they are there: pandas makes doubled ones unique."""
    line = pd.read_csv(
        path, sep=separator, header=None, nrows=1, dtype=str, encoding=ENCODING,
        keep_default_na=False,
    ).iloc[0]  # fmt: skip
    return [name or str(made) for name, made in zip(line[-len(columns) :], columns, strict=True)]


def join_metadata(
    obs: pd.DataFrame, path: Path, metadata: Path, cell_column: str | None, genes: pd.Index
) -> pd.DataFrame:
    """Join a table of metadata on the cell's name; its columns replace those of the same name.

    All values are text, so that a donor 01 does not become 1, nor, beside a cell without a donor,
    1.0.

    Parameters
    ----------
    obs
        Of the data.
    path, metadata
        The data's file, for messages, and the table's.
    cell_column
        Column of the table with the cells' names; None takes the first.
    genes
        Names of the data's genes, which tell whether the data lie the other way round.

    Raises
    ------
    IntaeError
        If the table cannot be read, names a cell twice, or holds none of the cells.
    """
    refuse_office(metadata)
    with reading(metadata, "a table of metadata"):
        layout = layout_of(metadata)
        table = pd.read_csv(
            metadata, sep=layout.separator, index_col=None if cell_column else 0, dtype=str,
            encoding=ENCODING, keep_default_na=False, na_values=list(MISSING),
        )  # fmt: skip
    if not len(table):
        msg = f"{path}, metadata: {metadata} holds no cell"
        raise IntaeError(msg)
    if cell_column:
        if cell_column not in table:
            known = ", ".join(map(str, table.columns)) or "none"
            msg = f"{path}, metadata: there is no column {cell_column!r} in {metadata}"
            raise IntaeError(f"{msg}; it has {known}")
        table = table.set_index(cell_column, drop=False)  # it may be a label too
    table.index = table.index.astype(str)
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        msg = f"{path}, metadata: {metadata} holds the cell {twice!r} more than once"
        raise IntaeError(msg)
    found = obs.index.isin(table.index)
    if not found.any():
        msg = (
            f"{path}, metadata: no cell of the data (such as {obs.index[0]!r}) is in {metadata} "
            f"(such as {table.index[0]!r}); {_why_none(obs.index, table, genes)}"
        )
        raise IntaeError(msg)
    if not found.all():
        log.warning(
            "%s: %d of %d cells are in %s; %r is not, for one",
            path, found.sum(), len(obs), metadata, obs.index[~found][0],
        )  # fmt: skip
    table = table.reindex(obs.index)
    return pd.concat([obs.drop(columns=table.columns, errors="ignore"), table], axis=1)


def _why_none(cells: pd.Index, table: pd.DataFrame, genes: pd.Index) -> str:
    """Say what to do where no cell of the data is in the first column of the metadata."""
    if cells.str.isdigit().all():
        return "the data's first column holds numbers of lines, not names: take it off"
    for column in table.columns:
        if table[column].isin(cells).mean() > 0.5:
            return f"its column {column!r} holds them: say cell_column: {column}"
    if table.index.isin(genes).any():
        return "the data's genes are: say genes_in: rows"

    def plain(names: pd.Index) -> pd.Index:
        return names.str.replace(r"[^A-Za-z0-9]", "", regex=True)

    if plain(table.index).isin(plain(cells)).any():
        return (
            "they differ in a sign only, as R writes names of columns (check.names = FALSE keeps "
            "them); make them the same"
        )
    core = table.index.str.extract(r"([ACGT]{10,})", expand=False).dropna()
    if len(core) and core.isin(cells.str.extract(r"([ACGT]{10,})", expand=False)).any():
        return "the barcodes are the same, but not what stands before or after them"
    return "do the names begin and end alike?"


def refuse_office(path: Path) -> None:
    """Refuse a file of Excel or R by its name, with what to do instead.

    Raises
    ------
    IntaeError
        If it is one.
    """
    name = path.name.lower()
    if name.endswith((".xlsx", ".xls", ".ods")):
        msg = f"{path}: is a spreadsheet; save it as CSV"
        raise IntaeError(msg)
    if name.endswith((".rds", ".rdata", ".rda")):
        msg = (
            f"{path}: is a file of R; write from R an h5ad, or a matrix (Matrix::writeMM) with "
            "barcodes.tsv and features.tsv beside it"
        )
        raise IntaeError(msg)

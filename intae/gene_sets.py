"""Gene sets: read from GMT files, and the annotation matrix I that they give for some genes."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata.utils import make_index_unique
from scipy import sparse

from .errors import IntaeError

log = logging.getLogger(__name__)

DATE = r"(\d{1,2}-(mar|sep|dec|oct|apr|nov|feb))|((mar|sep|dec|oct|apr|nov|feb)-\d{1,2})"

GeneSets = dict[str, list[str]]


def read_gene_sets(
    path: str | Path, *, remove_prefix: str | None = None, genes: Iterable[str] = ()
) -> GeneSets:
    """Read gene sets from a file with one set per line.

    Parameters
    ----------
    path
        GMT (name, description, genes, separated by tabs), or lines of a name and its genes
        separated by spaces or commas; either may be gzipped.
    remove_prefix
        Taken off the front of each name that has it, such as `REACTOME_`.
    genes
        Names of the data's genes, where they are known. A description that is one of them, or a
        gene of another set, is taken for a gene, in a file without descriptions.

    Returns
    -------
    Name of each set -> its genes in the file's order, each once. Names are never cut.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IntaeError
        If the file holds no set, names one twice, has a line without genes or without a
        description, or is no text in UTF-8; the message names the file and the line.
    """
    path = Path(path)
    if not path.exists():
        msg = f"{path}: there is no such gene set file"
        raise FileNotFoundError(msg)
    gene_sets: GeneSets = {}
    descriptions: dict[str, tuple[int, str]] = {}  # name -> line, description
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        name, described, members = _parse(line)
        if remove_prefix:
            name = name.removeprefix(remove_prefix)
        if not name or not members:
            msg = f"{path}, line {number}: a gene set needs a name and at least one gene"
            raise IntaeError(msg)
        if name in gene_sets:
            msg = f"{path}, line {number}: the gene set {name!r} stands there a second time"
            raise IntaeError(msg)
        gene_sets[name] = list(dict.fromkeys(members))
        if described and described != name:
            descriptions[name] = number, described
    if not gene_sets:
        msg = f"{path}: holds no gene set"
        raise IntaeError(msg)
    known = {gene for members in gene_sets.values() for gene in members}
    for gene in map(str, genes):
        known |= {gene, gene.upper()}  # sets of human genes for the data of a mouse
    for name, (number, described) in descriptions.items():
        if described in known:
            msg = (
                f"{path}, line {number}: {described!r} stands where GMT has the description of "
                f"{name!r}, but is a gene; put a description before the genes, or nothing between "
                "two tabs, or write the name and its genes with commas between them"
            )
            raise IntaeError(msg)
    return gene_sets


def read_descriptions(path: str | Path) -> dict[str, str]:
    """Read what a GMT file says of each set: its second field, often an address.

    Returns
    -------
    Name of each set, as in the file -> description. Empty for files without descriptions.
    """
    fields = (line.split("\t") for line in _lines(Path(path)) if "\t" in line)
    return {name.strip(): text.strip() for name, text, *_ in fields}


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        text = data.decode("utf-8-sig")  # spreadsheets put a byte-order mark in front
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = f"{path}: is not a text file of gene sets in UTF-8, or cut off ({error})"
        raise IntaeError(msg) from error
    if text.lstrip()[:1] == "<":
        msg = f"{path}: looks like a web page, not like gene sets; download it again"
        raise IntaeError(msg)
    # files that were joined have the mark at the front of a line as well
    return [line.removeprefix("\ufeff") for line in text.splitlines()]


def _parse(line: str) -> tuple[str, str, list[str]]:
    """Return the name of a set, its description, and its genes."""
    if "\t" in line:  # GMT: the second field is a description
        name, described, *genes = line.split("\t")
    else:
        described, (name, *genes) = "", line.replace(",", " ").split() or [""]
    return name.strip(), described.strip(), [gene.strip() for gene in genes if gene.strip()]


def merge_gene_sets(several: Iterable[Mapping[str, list[str]]]) -> GeneSets:
    """Join gene sets from several files into one.

    Raises
    ------
    IntaeError
        If two files have a set of the same name.
    """
    merged: GeneSets = {}
    for gene_sets in several:
        twice = merged.keys() & gene_sets.keys()
        if twice:
            msg = f"the gene set {sorted(twice)[0]!r} stands in more than one file"
            raise IntaeError(msg)
        merged.update(gene_sets)
    return merged


def distinct_genes(names: pd.Index, where: str) -> pd.Index:
    """Return names of genes, those that stand there again as NAME-1, NAME-2 and so on.

    A warning tells of them, and of names that a spreadsheet took for dates.

    That is what scanpy does, and what happens to doubled names everywhere in this library: the
    first keeps its name and its gene sets, the others are in none.

    Parameters
    ----------
    names
        Names of the data's genes; numbers become text.
    where
        What they are names of, for the warning.
    """
    names = names.astype(str)
    dates = names[names.str.fullmatch(DATE, case=False)]
    if len(dates):
        log.warning(
            "%s: %d gene names are dates, such as %r, as spreadsheets make of MARCH1 or SEPT2; "
            "they are in no gene set", where, len(dates), dates[0],
        )  # fmt: skip
    if names.is_unique:
        return names
    twice = names[names.duplicated()].unique()
    log.warning(
        "%s: %d gene names stand there more than once, %s among them: the first gene of each keeps "
        "the name, the others are called %s-1 and so on and are in no gene set; if they are one "
        "gene, add them up before, and if they have ids, name the genes by these",
        where, len(twice), twice[0], twice[0],
    )  # fmt: skip
    return make_index_unique(names)


def annotation_matrix(
    gene_sets: Mapping[str, list[str]], genes: pd.Index
) -> tuple[sparse.csc_array, pd.Index]:
    """Make the annotation matrix I, matching names without regard to case.

    Parameters
    ----------
    gene_sets
        Name -> genes.
    genes
        Names of the data's genes. Where two differ only in case, both are annotated.

    Returns
    -------
    annotations
        genes x terms, 0/1, uint8.
    terms
        Names of the terms, the order of `gene_sets`.
    """
    codes: dict[str, list[int]] = {}
    for row, gene in enumerate(genes):
        codes.setdefault(str(gene).upper(), []).append(row)
    rows, columns = [], []
    for column, members in enumerate(gene_sets.values()):
        hits = {row for gene in members for row in codes.get(str(gene).upper(), ())}
        rows += sorted(hits)
        columns += [column] * len(hits)
    shape = (len(genes), len(gene_sets))
    ones = np.ones(len(rows), dtype=np.uint8)
    matrix = sparse.csc_array((ones, (rows, columns)), shape=shape)
    return matrix, pd.Index(list(gene_sets), name="term")

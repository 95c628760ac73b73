"""Where the gene sets of a data set come from: the collection, its size there, and its address."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..gene_sets import read_descriptions, read_gene_sets


class Source(NamedTuple):
    """A file of gene sets: its path, what was taken off its names, what people call it."""

    path: str | Path
    remove_prefix: str | None
    title: str


def read_origins(sources: Iterable[Source]) -> dict[str, dict[str, object]]:
    """Say of each gene set in which collection it stands, how large it is there, and its address.

    Parameters
    ----------
    sources
        The files that the data were prepared with.

    Returns
    -------
    Name of the term -> collection, n_genes (in the file), full_name (as in the file), and the
    file's own description of the set: `link` if that is an address, else `note`.
    """
    origins: dict[str, dict[str, object]] = {}
    for source in sources:
        gene_sets = read_gene_sets(source.path, remove_prefix=source.remove_prefix)
        described = read_descriptions(source.path)
        by_term = {name.removeprefix(source.remove_prefix or ""): name for name in described}
        for term, genes in gene_sets.items():
            full_name = by_term.get(term, term)
            origins[term] = {
                "collection": source.title,
                "n_genes": len(genes),
                "full_name": full_name,
            } | _described(described.get(full_name, ""))
    return origins


def _described(text: str) -> dict[str, object]:
    if text.startswith(("http://", "https://")):
        return {"link": text}
    return {"note": text} if text and text.lower() not in ("na", "n/a", "description") else {}

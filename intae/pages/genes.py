"""Genes of terms: which are in the set, which a fit added or removed, and their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .packing import Block, shorten


def pack_sets(block: Block, annotations: np.ndarray) -> dict[str, Any]:
    """Pack which genes are in each set: genes x terms, 0/1."""
    return _rows(block, [np.flatnonzero(column) for column in np.asarray(annotations).T])


def pack_weights(block: Block, weights: np.ndarray) -> dict[str, Any]:
    """Pack the weights (genes x terms) that are not zero: for each term its genes and weights."""
    genes = [np.flatnonzero(column) for column in weights.T]
    values = [column[rows] for column, rows in zip(weights.T, genes, strict=True)]
    joined = np.concatenate(values) if values else np.empty(0)
    return _rows(block, genes) | {"values": block.add(shorten(joined), "f4")}


def pack_lists(block: Block, lists: pd.Series, genes: pd.Index) -> dict[str, Any]:
    """Pack the genes that are named in each term's row, separated by spaces."""
    found = [genes.get_indexer(str(names).split()) for names in lists.fillna("")]
    return _rows(block, [rows[rows >= 0] for rows in found])


def _rows(block: Block, rows: list[np.ndarray]) -> dict[str, Any]:
    ends = np.cumsum([0, *(len(row) for row in rows)])
    genes = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    return {"ends": block.add(ends, "u4"), "genes": block.add(genes, "u4")}

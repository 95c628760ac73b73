"""Many numbers in little text: arrays in one binary block, compressed, for a page to unpack."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
import pandas as pd

KEPT_BITS = 12  # of a float's mantissa: a relative error of at most 1 in 8,000
LEVELS = {"u1": 255, "u2": 65535}

# Where an array lies in the block: offset in bytes, number of items, type.
Place = dict[str, Any]


class Block:
    """Arrays one after the other; the page's JSON says where each of them lies."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, array: np.ndarray, kind: str) -> Place:
        """Append an array.

        Parameters
        ----------
        array
            Of any shape; kept row after row.
        kind
            f4, u4, u2 or u1: what the items are kept as.

        Returns
        -------
        at (bytes from the start), n (items) and type.

        Raises
        ------
        ValueError
            If a whole number does not fit into its kind.
        """
        array = np.asarray(array)
        if kind != "f4" and array.size and (array.min() < 0 or array.max() >= 256 ** int(kind[1])):
            msg = f"numbers from {array.min()} to {array.max()} do not fit into {kind}"
            raise ValueError(msg)
        data = np.ascontiguousarray(array, dtype=f"<{kind}").tobytes()
        place = {"at": self._length, "n": int(array.size), "type": kind}
        data += bytes(-len(data) % 4)  # the browser wants each array at a multiple of its item
        self._parts.append(data)
        self._length += len(data)
        return place

    def to_bytes(self) -> bytes:
        """Return the whole block."""
        return b"".join(self._parts)


def shorten(values: np.ndarray) -> np.ndarray:
    """Round float32 to as many binary digits as anybody looks at, so that they compress well."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    drop = 23 - KEPT_BITS
    half = np.uint32(1 << (drop - 1))
    return ((bits + half) & ~np.uint32((1 << drop) - 1)).view(np.float32)


def quantise(values: np.ndarray, low: np.ndarray, high: np.ndarray, kind: str) -> np.ndarray:
    """Write values as whole steps from low (0) to high (the largest number of the kind).

    Parameters
    ----------
    values
        terms x anything.
    low, high
        Range of each term.
    kind
        u1 or u2.
    """
    shape = (-1,) + (1,) * (values.ndim - 1)
    low, high = np.reshape(low, shape), np.reshape(high, shape)
    width = np.where(high > low, high - low, 1.0)
    steps = np.rint((values - low) / width * LEVELS[kind])
    return np.clip(steps, 0, LEVELS[kind]).astype(np.uint32)


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
    """Pack, for each term, the genes that its text names, separated by spaces."""
    found = [genes.get_indexer(str(names).split()) for names in lists.fillna("")]
    return _rows(block, [rows[rows >= 0] for rows in found])


def _rows(block: Block, rows: list[np.ndarray]) -> dict[str, Any]:
    ends = np.cumsum([0, *(len(row) for row in rows)])
    genes = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    return {"ends": block.add(ends, "u4"), "genes": block.add(genes, "u4")}


def compress(data: bytes | str) -> str:
    """Return data gzipped, as base64; the same data give the same text."""
    if isinstance(data, str):
        data = data.encode()
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def to_json(value: Any) -> str:
    """Write JSON without the NaN that browsers refuse: missing numbers must be None."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))

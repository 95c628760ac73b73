"""An h5ad larger than the memory, loaded as the config declares it: cell after cell into a file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ..chunks import map_chunks, matrix_of
from ..errors import IntaeError
from ..gene_sets import distinct_genes
from ..io import read_h5ad, write_h5ad_in_chunks
from .file import guess_format, join_metadata, named_genes
from .loading import check_named_values, check_names, choose_cells

log = logging.getLogger(__name__)


def load_in_chunks(
    name: str,
    entry: Mapping[str, Any],
    files: Sequence[str | Path],
    analysis: Mapping[str, Any] | None,
    out: str | Path,
) -> None:
    """Write what :func:`.loading.load_dataset` returns of an h5ad, without holding its cells.

    X must hold the counts, cells in its rows; whether its values are expression is seen when the
    data are prepared.

    Parameters
    ----------
    name, entry, files, analysis
        As for `load_dataset`; of an entry with `source: file`.
    out
        The h5ad to write, whole or not at all, with X compressed by lzf.

    Raises
    ------
    FileNotFoundError, IntaeError
        If the file is no h5ad, or does not hold what the entry names.
    """
    path, *metadata = map(Path, files)
    if (entry.get("format") or guess_format(path)) != "h5ad" or entry.get("matrix", "X") != "X":
        msg = f"data set {name!r}: chunked: reads X of an h5ad only; write the counts into X of one"
        raise IntaeError(msg)
    whole = read_h5ad(path, backed="r")
    kept, genes = np.arange(whole.n_vars), whole.var_names
    if entry.get("gene_column") is not None:
        kept, genes = named_genes(whole.var, path, entry["gene_column"])
    obs = whole.obs
    if metadata:
        obs = join_metadata(obs, path, metadata[0], entry["metadata"].get("cell_column"))
    cells = AnnData(obs=obs, var=pd.DataFrame(index=distinct_genes(genes, str(path))))
    labels = entry.get("labels") or {}
    check_names(name, cells)
    check_named_values(name, cells.obs, labels, analysis or {})
    chosen = choose_cells(name, cells, entry)
    check_names(name, chosen)
    rows = cells.obs_names.get_indexer(chosen.obs_names)
    if entry.get("scale"):
        chosen.uns["scale"] = entry["scale"]
    every = len(rows) == whole.n_obs and len(kept) == whole.n_vars
    X = matrix_of(whole if every else whole[rows, kept])
    blocks = (block for _, block in map_chunks(_as_it_is, X, doing="loading"))
    write_h5ad_in_chunks(chosen, blocks, out, compression="lzf")


def _as_it_is(block: Any) -> Any:
    return block

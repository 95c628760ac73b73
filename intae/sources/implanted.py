"""Truth implanted in real counts: the cells and gene sets of another data set, thinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import IntaeError
from .downloads import Download

if TYPE_CHECKING:
    from anndata import AnnData

FILES: tuple[Download, ...] = ()
SIZE = ""  # that of the cells' data set


def load(
    loaded: Path,
    prepared: Path,
    *gene_sets: Path,
    cells: Mapping[str, Any] | None = None,
    prefixes: Sequence[str | None] | None = None,
    null_of: str | None = None,
    **params: Any,
) -> AnnData:
    """Implant a truth with :func:`intae.implant`, or nothing with :func:`intae.implanted_null`.

    Parameters
    ----------
    loaded
        The data set that the cells are of, as it was loaded: raw counts.
    prepared
        The same prepared: only sets that are terms there get an activity.
    gene_sets
        Its gene set files.
    cells
        Which of its cells: column of obs -> value, or values; None takes all.
    prefixes
        Taken off the names in each gene set file; None takes nothing off.
    null_of
        The kind of :func:`intae.implanted_null`; None implants a truth.
    params
        Further arguments of that function.

    Returns
    -------
    Counts, cells x genes, with the labels of those cells and the truth.

    Raises
    ------
    IntaeError
        If the cells' data set holds no raw counts, or what the function raises.
    """
    from ..gene_sets import merge_gene_sets, read_gene_sets
    from ..implanted import implant, implanted_null
    from ..io import read_h5ad
    from ..prepared import get_terms
    from .loading import filter_cells

    counts = read_h5ad(loaded)
    if counts.uns["scale"] != "counts":
        msg = f"{loaded}: holds {counts.uns['scale']} values; only raw counts can be thinned"
        raise IntaeError(f"{msg}; name a data set with counts in cells_of")
    counts = filter_cells("cells_of", counts, cells or {}, key="cells")
    if null_of is not None:
        return implanted_null(counts, null_of, **params)
    every = merge_gene_sets(
        read_gene_sets(path, remove_prefix=prefix)
        for path, prefix in zip(gene_sets, prefixes or [None] * len(gene_sets), strict=True)
    )
    terms = get_terms(read_h5ad(prepared, backed="r"))
    return implant(counts, every, among=list(terms), **params)

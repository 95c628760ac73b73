"""Corrupted gene sets: the prepared data of another data set, wrong genes in its sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .downloads import Download

if TYPE_CHECKING:
    from anndata import AnnData

FILES: tuple[Download, ...] = ()
SIZE = ""  # that of the other data set


def load(prepared: Path, **params: Any) -> AnnData:
    """Corrupt the gene sets of prepared data with :func:`intae.corrupt_annotations`.

    Parameters
    ----------
    prepared
        The prepared data.
    params
        Arguments of :func:`intae.corrupt_annotations`.

    Returns
    -------
    Prepared data, cells x genes; `uns["scale"]` is log.
    """
    from ..corruption import corrupt_annotations
    from ..io import read_h5ad

    adata = corrupt_annotations(read_h5ad(prepared), **params)
    adata.uns["scale"] = "log"
    return adata

"""Simulated data: drawn as prepared data, with the truth beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .downloads import Download

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

FILES: tuple[Download, ...] = ()
SIZE = ""  # the config decides


def load(prepared: Path | None = None, **params: Any) -> AnnData:
    """Draw data with :func:`intae.simulate`.

    Parameters
    ----------
    prepared
        Prepared data whose genes and gene sets are taken; None draws some.
    params
        Arguments of :func:`intae.simulate`.

    Returns
    -------
    Prepared data, cells x genes; `uns["scale"]` is log.
    """
    from ..simulation import simulate

    adata = simulate(**params, annotations=None if prepared is None else _annotations(prepared))
    adata.uns["scale"] = "log"
    return adata


def _annotations(path: Path) -> pd.DataFrame:
    """Return the annotations of prepared data, genes x terms."""
    import pandas as pd

    from ..io import read_h5ad
    from ..prepared import get_annotations, get_terms

    prepared = read_h5ad(path, backed="r")
    try:
        return pd.DataFrame(get_annotations(prepared), prepared.var_names, get_terms(prepared))
    finally:
        prepared.file.close()

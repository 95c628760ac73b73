"""Variable genes, by each of scanpy's ways to say how variable a gene is."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from .errors import IntaeError, suggest
from .scale import variances

log = logging.getLogger(__name__)

FLAVORS = ("seurat", "cell_ranger", "seurat_v3", "pearson_residuals")
OF_COUNTS = ("seurat_v3", "pearson_residuals")  # the others are of log-normalised values


def check_flavor(flavor: str) -> None:
    """Refuse a flavour that is not known, or whose package is not installed."""
    if flavor not in FLAVORS:
        msg = f"there is no hvg_flavor {flavor!r}{suggest(flavor, FLAVORS)}"
        raise IntaeError(msg)
    if flavor == "seurat_v3" and not _is_installed("skmisc"):
        msg = (
            "hvg_flavor 'seurat_v3' needs the package scikit-misc, which is not installed: "
            f"pip install scikit-misc, or take another of {', '.join(FLAVORS)}"
        )
        raise IntaeError(msg)


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def most_variable(
    adata: AnnData,
    n_hvgs: int,
    flavor: str = "seurat",
    counts: np.ndarray | sparse.csr_matrix | None = None,
) -> np.ndarray:
    """Return a mask of the most variable genes (all that vary, if there are fewer).

    Parameters
    ----------
    adata
        Log-normalised data.
    n_hvgs
        How many.
    flavor
        One of `FLAVORS`; see :func:`intae.prepare`.
    counts
        Raw counts of the same cells and genes, for the flavours `OF_COUNTS`.

    Raises
    ------
    IntaeError
        If scanpy cannot choose by this flavour, such as among too few genes for its bins.
    """
    varies = variances(adata.X) > 0
    n_found = int(varies.sum())
    if n_hvgs >= n_found:
        log.info("%d variable annotated genes, %d asked for: all are kept", n_found, n_hvgs)
        return varies
    if counts is None:
        candidates = adata[:, varies].copy()
    else:
        candidates = AnnData(counts[:, varies])
        # a cell without any of these counts has residuals of 0 / 0
        candidates = candidates[np.asarray(candidates.X.sum(1)).ravel() > 0].copy()
    choose = sc.pp if flavor != "pearson_residuals" else sc.experimental.pp
    try:
        table = choose.highly_variable_genes(
            candidates, n_top_genes=n_hvgs, flavor=flavor, inplace=False
        )
    except ValueError as error:  # too few genes for its bins, or for its curve
        reason = str(error).splitlines()[0]
        msg = f"hvg_flavor {flavor!r} cannot choose genes of these data ({reason}); take another of"
        raise IntaeError(f"{msg} {', '.join(FLAVORS)}, or n_hvgs=None for all genes") from error
    keep = np.zeros(adata.n_vars, dtype=bool)
    found = table["highly_variable"].reindex(candidates.var_names).to_numpy(bool)
    keep[np.flatnonzero(varies)[found]] = True
    return keep

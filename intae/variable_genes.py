"""Variable genes, by each of scanpy's ways to say how variable a gene is."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.stats import median_abs_deviation

from .errors import IntaeError, suggest
from .scale import variances

log = logging.getLogger(__name__)

FLAVORS = ("seurat", "cell_ranger", "seurat_v3", "pearson_residuals")
OF_COUNTS = ("seurat_v3", "pearson_residuals")  # the others are of log-normalised values
IN_CHUNKS = (
    "seurat",
    "cell_ranger",
)  # of mean and variance alone, so one pass over the cells will do
BINS = 20  # of mean expression, in `seurat`


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
    if _are_all(varies, n_hvgs):
        return varies
    if counts is None:
        candidates = adata[:, varies].copy()
    else:
        candidates = AnnData(counts[:, varies])
        # a cell without any of these counts has residuals of 0 / 0
        candidates = candidates[np.asarray(candidates.X.sum(1)).ravel() > 0].copy()
    import scanpy as sc  # here, since it takes seconds and data with few genes do without

    choose = sc.pp if flavor != "pearson_residuals" else sc.experimental.pp
    try:
        table = choose.highly_variable_genes(
            candidates, n_top_genes=n_hvgs, flavor=flavor, inplace=False
        )
    except ValueError as error:  # too few genes for its bins, or for its curve
        raise _cannot(flavor, error) from error
    keep = np.zeros(adata.n_vars, dtype=bool)
    found = table["highly_variable"].reindex(candidates.var_names).to_numpy(bool)
    keep[np.flatnonzero(varies)[found]] = True
    return keep


def most_variable_of(
    mean: np.ndarray, variance: np.ndarray, n_hvgs: int, flavor: str = "seurat"
) -> np.ndarray:
    """Return the mask that :func:`most_variable` returns, from mean and variance of each gene.

    The genes are binned by their mean; a gene's dispersion, variance over mean, is compared with
    those of its bin. `seurat`: 20 bins of log(1 + mean), in each the mean and standard deviation of
    the log dispersions (a gene alone in its bin counts 1). `cell_ranger`: bins between the
    percentiles 10, 15, ... of the mean, in each the median and median absolute deviation.

    Parameters
    ----------
    mean, variance
        With N - 1 in the denominator; for `seurat` of the normalised values, for `cell_ranger` of
        their logarithms.
    n_hvgs, flavor
        As for :func:`most_variable`; flavor one of `IN_CHUNKS`.

    References
    ----------
    Satija et al. 2015, Nature Biotechnology 33:495; Zheng et al. 2017, Nature Communications
    8:14049; as scanpy has them, which the tests compare.
    """
    varies = variance > 0
    if _are_all(varies, n_hvgs):
        return varies
    table = pd.DataFrame({"mean": mean[varies], "dispersion": variance[varies] / mean[varies]})
    if flavor == "seurat":
        table = np.log1p(table["mean"]).to_frame().assign(dispersion=np.log(table["dispersion"]))
        table["bin"] = pd.cut(table["mean"], BINS)
    else:
        cuts = np.percentile(table["mean"], np.arange(10, 105, 5))
        try:
            table["bin"] = pd.cut(table["mean"], [-np.inf, *cuts, np.inf])
        except ValueError as error:  # two percentiles are equal
            raise _cannot(flavor, error) from error
    bins = table.groupby("bin", observed=True)["dispersion"]
    if flavor == "seurat":
        centre, spread = bins.transform("mean"), bins.transform("std")
        alone = spread.isna()
        centre, spread = centre.where(~alone, 0.0), spread.where(~alone, centre)
    else:
        centre = bins.transform("median")
        spread = bins.transform(median_abs_deviation, scale="normal")
    with np.errstate(divide="ignore", invalid="ignore"):
        score = ((table["dispersion"] - centre) / spread).to_numpy()
    known = np.sort(score[~np.isnan(score)])[::-1]
    keep = varies.copy()
    keep[varies] = np.nan_to_num(score, nan=-np.inf) >= known[min(n_hvgs, len(known)) - 1]
    return keep


def _are_all(varies: np.ndarray, n_hvgs: int) -> bool:
    """Say whether no more genes vary than are asked for."""
    n_found = int(varies.sum())
    if n_hvgs >= n_found:
        log.info("%d variable annotated genes, %d asked for: all are kept", n_found, n_hvgs)
    return n_hvgs >= n_found


def _cannot(flavor: str, error: ValueError) -> IntaeError:
    reason = str(error).splitlines()[0]
    msg = f"hvg_flavor {flavor!r} cannot choose genes of these data ({reason}); take another of"
    return IntaeError(f"{msg} {', '.join(FLAVORS)}, or n_hvgs=None for all genes")

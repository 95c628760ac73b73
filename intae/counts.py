"""Raw counts restored from prepared data, for models that need them."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from scipy import sparse

from .errors import IntaeError

SIZE_FACTOR = "size_factor"  # the column of obs that `prepare` writes
NEAR = 0.1  # float32 keeps counts up to some 100,000 nearer than this to a whole number


def restore_counts(adata: AnnData, model: str) -> sparse.csr_matrix:
    """Return the raw counts of prepared data: expm1(X) times each cell's size factor, rounded.

    Parameters
    ----------
    adata
        Prepared from counts, so that obs has `size_factor`: the total count of the cell over the
        total that cells were normalised to.
    model
        The class that needs them, for messages.

    Returns
    -------
    cells x genes, whole numbers as float32.

    Raises
    ------
    IntaeError
        If the data have no size factors, or what is restored is not whole: X was changed since.
    """
    advice = "prepare the raw counts with intae.prepare (normalize and log1p as they come)"
    if SIZE_FACTOR not in adata.obs:
        msg = f'obs["{SIZE_FACTOR}"]: is missing, and {model} needs raw counts, which cannot be '
        raise IntaeError(f"{msg}restored without; {advice}")
    counts = sparse.csr_matrix(adata.X, dtype=np.float64, copy=True)
    factor = adata.obs[SIZE_FACTOR].to_numpy(np.float64)
    counts.data = np.expm1(counts.data) * np.repeat(factor, np.diff(counts.indptr))
    whole = np.round(counts.data)
    off = np.abs(counts.data - whole).max(initial=0.0)
    if not off < NEAR or whole.min(initial=0.0) < 0:
        msg = f'X: gives no whole counts with obs["{SIZE_FACTOR}"] (off by up to {off:.2g}), and '
        raise IntaeError(f"{msg}{model} needs raw counts; {advice}, and leave X as it is then")
    counts.data = whole.astype(np.float32)
    counts.eliminate_zeros()
    return counts.astype(np.float32)

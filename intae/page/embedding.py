"""A map of the cells for the pages: the data's own UMAP, or one that scanpy computes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from ..io import read_h5ad
from .views import sample_cells

OWN = "X_umap"  # in obsm
N_CELLS = 5000
N_COMPONENTS = 30
COLUMNS = ("umap_1", "umap_2", "own")


def embed(prepared: AnnData, *, n_cells: int = N_CELLS, seed: int = 0) -> pd.DataFrame:
    """Place cells on a map, like beside like.

    The data's own UMAP (obsm `X_umap`) is taken where there is one. Else scanpy computes it from
    the first principal components of the prepared genes: the nearest neighbours, then UMAP, with
    its default parameters.

    Parameters
    ----------
    prepared
        The prepared data; may be backed.
    n_cells
        At most so many cells are placed, drawn at random.
    seed
        Of the draw and of the computation.

    Returns
    -------
    Indexed by cell, in the order of the data: umap_1, umap_2, and own, whether the map is the
    data's own.

    Notes
    -----
    McInnes, Healy & Melville 2018, UMAP. The neighbours are found exactly.
    """
    cells = sample_cells(prepared.n_obs, n_cells, seed)
    own = OWN in prepared.obsm and bool(np.isfinite(np.asarray(prepared.obsm[OWN])[cells]).all())
    if own:
        places = np.asarray(prepared.obsm[OWN], float)[cells, :2]
    else:
        places = _umap(prepared.X[cells], seed)
    index = pd.Index(prepared.obs_names[cells].astype(str), name="cell")
    return pd.DataFrame(places, index, list(COLUMNS[:2])).assign(own=own)


def _umap(X: np.ndarray, seed: int) -> np.ndarray:
    import scanpy as sc

    cells = AnnData(X)
    n_neighbors = min(15, cells.n_obs - 1)
    n_comps = min(N_COMPONENTS, min(cells.shape) - 1)
    if n_comps < 2 or cells.n_obs < 4:  # too little for a map: as it is
        dense = np.asarray(X.todense() if hasattr(X, "todense") else X, float)
        return np.column_stack([dense[:, 0], dense[:, -1]])
    _compile_for_one_thread()
    sc.pp.pca(cells, n_comps=n_comps, random_state=seed)
    sc.pp.neighbors(
        cells, n_neighbors=n_neighbors, use_rep="X_pca", transformer="sklearn", random_state=seed
    )
    sc.tl.umap(cells, random_state=seed)
    return cells.obsm[OWN]


def _compile_for_one_thread() -> None:
    """Keep numba from compiling two loops of UMAP for several threads: seconds, for an instant."""
    from umap import umap_

    for name in ("smooth_knn_dist", "compute_membership_strengths"):
        options = getattr(getattr(umap_, name, None), "targetoptions", {})
        if "parallel" in options:
            options["parallel"] = False


def write_embedding(prepared_path: str, path: str, *, seed: int = 0) -> None:
    """Embed prepared data and write the map as CSV; a number has five digits."""
    from ..io import whole_file

    table = embed(read_h5ad(prepared_path, backed="r"), seed=seed)
    with whole_file(path) as part:
        table.to_csv(part, float_format="%.5g")


def read_embedding(path: str) -> pd.DataFrame:
    """Read what :func:`write_embedding` wrote."""
    return pd.read_csv(path, index_col="cell", dtype={"cell": str})


def tell_of(embedding: pd.DataFrame, n_cells: int) -> str:
    """Say where a map comes from, in a sentence."""
    text = "The UMAP is the data's own."
    if not embedding["own"].all():
        text = f"The UMAP was computed by scanpy from {N_COMPONENTS} principal components."
    if len(embedding) < n_cells:
        text += f" {len(embedding):,} of {n_cells:,} cells are shown, drawn at random."
    return f"{text} Each dot is a cell; the brighter, the more the term is at work there."

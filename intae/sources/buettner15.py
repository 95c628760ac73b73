"""Buettner et al. 2015: 182 mouse embryonic stem cells, staged for the cell cycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .downloads import Download

if TYPE_CHECKING:
    from anndata import AnnData

N_CELLS, N_GENES = 182, 6635
SIZE = f"{N_CELLS} cells x {N_GENES:,} genes"

FILES = (
    Download(
        "Buettneretal.csv.gz",
        ("https://raw.githubusercontent.com/bioFAM/slalom/master/data/Buettneretal.csv.gz",),
    ),
)


def load(table: Path, *, exact: bool = True) -> AnnData:
    """Read the table that comes with slalom.

    The values are on a log scale already. The header names the genes only; the label of a row is
    the stage of the cell (1, 2, 3), so it names no cell.

    Parameters
    ----------
    table
        Buettneretal.csv.gz.
    exact
        Insist on the published size.

    Returns
    -------
    Log-normalised expression, cells x genes (mouse symbols); obs condition, the stage.

    Raises
    ------
    IntaeError
        If the table has another size.
    """
    import numpy as np
    import pandas as pd
    from anndata import AnnData

    data = pd.read_csv(table, index_col=0, encoding="utf-8")
    if exact and data.shape != (N_CELLS, N_GENES):
        n_cells, n_genes = data.shape
        msg = f"{table}: has {n_cells} cells x {n_genes} genes, not {N_CELLS} x {N_GENES}"
        raise IntaeError(msg)
    stage = "stage " + data.index.astype(str)
    cells = pd.Index([f"cell_{i + 1}" for i in range(len(data))])
    adata = AnnData(
        data.to_numpy(np.float32),
        obs=pd.DataFrame({"condition": stage.to_numpy()}, index=cells),
        var=pd.DataFrame(index=data.columns.astype(str)),
    )
    adata.var_names_make_unique()
    return adata

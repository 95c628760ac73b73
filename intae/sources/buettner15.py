"""Buettner et al. 2015: 182 mouse embryonic stem cells, staged for the cell cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

SHAPE = (182, 6635)


def load_buettner15(table: Path, *, exact: bool = True) -> AnnData:
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
    ValueError
        If the table has another size.
    """
    data = pd.read_csv(table, index_col=0)
    if exact and data.shape != SHAPE:
        n_cells, n_genes = data.shape
        msg = f"{table}: has {n_cells} cells x {n_genes} genes, not {SHAPE[0]} x {SHAPE[1]}"
        raise ValueError(msg)
    stage = "stage " + data.index.astype(str)
    cells = pd.Index([f"cell_{i + 1}" for i in range(len(data))])
    adata = AnnData(
        data.to_numpy(np.float32),
        obs=pd.DataFrame({"condition": stage.to_numpy()}, index=cells),
        var=pd.DataFrame(index=data.columns.astype(str)),
    )
    adata.var_names_make_unique()
    return adata

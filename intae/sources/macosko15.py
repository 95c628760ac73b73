"""Macosko et al. 2015 (GEO GSE63472): 49,300 cells of the mouse retina by Drop-seq."""

from __future__ import annotations

import gzip
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .downloads import Download, geo

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from scipy import sparse

log = logging.getLogger(__name__)

N_LABELLED = 44_808
SIZE = f"{N_LABELLED:,} cells x 24,658 genes"

FILES = (
    geo("GSE63472", "GSE63472_P14Retina_merged_digital_expression.txt.gz"),
    Download(
        "retina_clusteridentities.txt",
        (
            "http://mccarrolllab.org/wp-content/uploads/2015/05/retina_clusteridentities.txt",
            "https://scrnaseq-public-datasets.s3.amazonaws.com/manual-data/macosko/"
            "retina_clusteridentities.txt",
        ),
        "b7224ab7d61632fd34ca700c83aab22b509e5149222bb0918f87e47c1310d9fe",
    ),
)

# cluster -> cell type, as in the paper's figure 5
CELL_TYPES = {
    1: "Horizontal cells",
    2: "Retinal ganglion cells",
    **dict.fromkeys(range(3, 24), "Amacrine cells"),
    24: "Rods",
    25: "Cones",
    **dict.fromkeys(range(26, 34), "Bipolar cells"),
    34: "Muller glia",
    35: "Astrocytes",
    36: "Fibroblasts",
    37: "Vascular endothelium",
    38: "Pericytes",
    39: "Microglia",
}


def load(table: Path, identities: Path, *, exact: bool = True) -> AnnData:
    """Read the digital expression, a dense text table, gene by gene, and the clusters.

    Parameters
    ----------
    table
        GSE63472_P14Retina_merged_digital_expression.txt.gz: header `gene` and the cells, then one
        row per gene. Mouse symbols in upper case, so they match human gene sets by name.
    identities
        retina_clusteridentities.txt: cell, cluster, no header. Cells that are not in it (the
        authors left them unclustered) are dropped.
    exact
        Insist on the published number of labelled cells.

    Returns
    -------
    Raw counts, cells x genes; obs cluster, cell_type, batch (the replicate in the cell's name).

    Raises
    ------
    IntaeError
        If a file is not what it should be; the message names it.
    """
    import numpy as np
    import pandas as pd
    from anndata import AnnData

    labels = pd.read_csv(
        identities, sep="\t", header=None, index_col=0, names=["cluster"], encoding="utf-8"
    )
    unknown = sorted(set(labels["cluster"]) - set(CELL_TYPES))
    if unknown:
        msg = f"{identities}: names cluster {unknown[0]}; there are clusters 1 to 39"
        raise IntaeError(msg)
    X, genes, cells = _read_dense_text(table)
    keep = np.flatnonzero(cells.isin(labels.index))
    if exact and len(keep) != N_LABELLED:
        msg = f"{table}: {len(keep)} of its {len(cells)} cells have a cluster, not {N_LABELLED}"
        raise IntaeError(msg)
    cells = cells[keep]
    cluster = labels.loc[cells, "cluster"]
    obs = pd.DataFrame(
        {
            "cluster": cluster.astype(str),
            "cell_type": cluster.map(CELL_TYPES),
            "batch": cells.str.split("_").str[0],
        },
        index=cells.rename(None),
    )
    adata = AnnData(X[keep], obs=obs, var=pd.DataFrame(index=pd.Index(genes)))
    adata.var_names_make_unique()
    log.info("Macosko15: %d cells x %d genes", *adata.shape)
    return adata


def _read_dense_text(table: Path) -> tuple[sparse.csr_matrix, list[str], pd.Index]:
    """Read the table line by line, one gene per line, into a sparse matrix: cells x genes.

    pandas takes ten times as long, since it treats each of the 49,300 columns by itself.
    """
    import numpy as np
    import pandas as pd
    from scipy import sparse

    rows, genes = [], []
    unpack = gzip.open if table.suffix == ".gz" else open
    with unpack(table, "rt", encoding="utf-8") as file:
        cells = pd.Index(file.readline().rstrip("\n").split("\t")[1:])
        for number, line in enumerate(file, start=2):
            gene, _, numbers = line.partition("\t")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", DeprecationWarning)  # all that NumPy 1 says
                    values = np.fromstring(numbers, dtype=np.float32, sep="\t")
            except (ValueError, DeprecationWarning) as error:
                msg = f"{table}, line {number}: holds something that is no number"
                raise IntaeError(msg) from error
            if len(values) != len(cells):
                msg = f"{table}, line {number}: {len(values)} numbers for {len(cells)} cells"
                raise IntaeError(msg)
            genes.append(gene)
            rows.append(sparse.csr_matrix(values))
            if number % 5000 == 0:
                log.info("Macosko15: %d genes read", number)
    if not rows:
        msg = f"{table}: holds no gene"
        raise IntaeError(msg)
    return sparse.csr_matrix(sparse.vstack(rows).T), genes, cells

"""Kang et al. 2018 (GEO GSE96583, batch 2): PBMC of 8 lupus patients, with and without IFN-beta."""

from __future__ import annotations

import gzip
import io
import logging
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .downloads import geo

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from scipy import sparse

log = logging.getLogger(__name__)

N_GENES, N_CELLS = 35_635, {"ctrl": 14_619, "stim": 14_446}
SIZE = f"{sum(N_CELLS.values()):,} cells x {N_GENES:,} genes"

FILES = (
    geo(
        "GSE96583",
        "GSE96583_RAW.tar",
        "e5d41a3248a813f99d68fd5c9eb9773de7f46a83680a67f4a02d683b8955fe80",
    ),
    geo(
        "GSE96583",
        "GSE96583_batch2.genes.tsv.gz",
        "93aa4e9b530ef9d6411ca129b416324c5cc1cc5a01a1fa6ed4f4a845480ed3ca",
    ),
    geo(
        "GSE96583",
        "GSE96583_batch2.total.tsne.df.tsv.gz",
        "1d57e72e92ca8695250e88cc0f1c3fa8c0be1175d974f8b427c58f1274dc6c09",
    ),
)

# condition -> its matrix and its barcodes inside the archive
SAMPLES = {
    "ctrl": ("GSM2560248_2.1.mtx.gz", "GSM2560248_barcodes.tsv.gz"),
    "stim": ("GSM2560249_2.2.mtx.gz", "GSM2560249_barcodes.tsv.gz"),
}


def load(archive: Path, genes: Path, annotation: Path, *, exact: bool = True) -> AnnData:
    """Read both conditions and join the authors' annotation.

    The matrices are Matrix Market, genes x cells, "real" but integer. The header of the
    annotation (`tsne.df`) has one field fewer than its rows: the first column is the barcode.
    Stimulated barcodes that collide with control ones end in -11 there and in -1 in the matrix.

    Parameters
    ----------
    archive
        GSE96583_RAW.tar.
    genes
        GSE96583_batch2.genes.tsv.gz: Ensembl id and symbol of each row, no header.
    annotation
        GSE96583_batch2.total.tsne.df.tsv.gz.
    exact
        Insist on the published number of cells and genes.

    Returns
    -------
    Raw counts, cells x genes; obs condition (ctrl, stim), cell_type, donor, cluster, multiplets.

    Raises
    ------
    IntaeError
        If a file is not what it should be; the message names it.
    """
    import anndata
    import pandas as pd
    from scipy import io as scipy_io
    from scipy import sparse

    names = pd.read_csv(genes, sep="\t", header=None, encoding="utf-8")
    labels = pd.read_csv(annotation, sep="\t", index_col=0, encoding="utf-8")
    parts = []
    with tarfile.open(archive) as tar:
        for condition, (matrix, barcodes) in SAMPLES.items():
            X = sparse.csr_matrix(scipy_io.mmread(_member(tar, archive, matrix)).T)
            cells = _member(tar, archive, barcodes).read().decode("utf-8").split()
            expected = (N_CELLS[condition], N_GENES) if exact else (len(cells), len(names))
            if X.shape != expected or len(cells) != X.shape[0] or len(names) != X.shape[1]:
                msg = (
                    f"{archive}: {matrix} has {X.shape[1]} genes x {X.shape[0]} cells, beside "
                    f"{len(names)} gene names and {len(cells)} barcodes; expected "
                    f"{expected[1]} x {expected[0]}"
                )
                raise IntaeError(msg)
            parts.append(_annotate(X, cells, labels[labels["stim"] == condition], annotation))
    adata = anndata.concat(parts)
    symbols = pd.Index(names[1].to_numpy(str))
    adata.var = pd.DataFrame({"ensembl_id": names[0].to_numpy(str)}, index=symbols)
    adata.var_names_make_unique()
    log.info("Kang17: %d cells x %d genes", *adata.shape)
    return adata


def _member(tar: tarfile.TarFile, archive: Path, name: str) -> io.BytesIO:
    """Return what a gzipped member of the archive holds, in whatever folder it lies."""
    for member in tar:
        if Path(member.name).name == name:
            return io.BytesIO(gzip.decompress(tar.extractfile(member).read()))
    msg = f"{archive}: holds no {name}; is it the archive of GSE96583?"
    raise IntaeError(msg)


def _annotate(
    X: sparse.csr_matrix, cells: list[str], labels: pd.DataFrame, annotation: Path
) -> AnnData:
    """Name the cells as the annotation does, by barcode, within one condition."""
    import pandas as pd
    from anndata import AnnData

    # AAAC...-1, or AAAC...-11 where the same barcode occurs among the control cells
    names = [cell if cell in labels.index else f"{cell}1" for cell in cells]
    missing = [cell for cell, name in zip(cells, names, strict=True) if name not in labels.index]
    if missing:
        msg = f"{annotation}: {len(missing)} barcodes are not in it, {missing[0]} among them"
        raise IntaeError(msg)
    found = labels.loc[names]
    obs = pd.DataFrame(
        {
            "condition": found["stim"],
            "cell_type": found["cell"],
            "donor": found["ind"].astype(str),
            "cluster": found["cluster"].astype(str),
            "multiplets": found["multiplets"],
        }
    )
    return AnnData(X.astype("float32"), obs=obs)

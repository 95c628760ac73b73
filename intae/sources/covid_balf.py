"""Liao et al. 2020 (GEO GSE145926): bronchoalveolar lavage in COVID-19, moderate and severe."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .downloads import Download, geo

if TYPE_CHECKING:
    from anndata import AnnData

log = logging.getLogger(__name__)

N_CELLS = 63_103  # of the annotation's 65,813: without the 2,710 of GSM3660650
SIZE = f"{N_CELLS:,} cells"

# sample of the annotation -> GEO sample; the fourth healthy control is from another series
SAMPLES = {
    "C51": "GSM4475048",
    "C52": "GSM4475049",
    "C100": "GSM4475050",
    "C141": "GSM4339769",
    "C142": "GSM4339770",
    "C143": "GSM4339771",
    "C144": "GSM4339772",
    "C145": "GSM4339773",
    "C146": "GSM4339774",
    "C148": "GSM4475051",
    "C149": "GSM4475052",
    "C152": "GSM4475053",
}

FILES = (
    *(geo(gsm, f"{gsm}_{sample}_filtered_feature_bc_matrix.h5") for sample, gsm in SAMPLES.items()),
    Download(
        "all.cell.annotation.meta.txt",
        (
            "https://raw.githubusercontent.com/zhangzlab/covid_balf/"
            "b52be1c50ef79e91bebac82451894942d23b43be/all.cell.annotation.meta.txt",
        ),
    ),
)


def load(*files: Path, exact: bool = True) -> AnnData:
    """Read the samples and join the authors' annotation on sample and barcode.

    A barcode can occur in several samples. It ends in -1 in the 10x files and in _k, the number
    of the sample, in the annotation. Cells that the authors filtered out are dropped; the fourth
    healthy control of the annotation (GSM3660650) is from another series and has no file here.

    Parameters
    ----------
    files
        10x HDF5 files named GSM..._SAMPLE_filtered_feature_bc_matrix.h5, and last the annotation,
        all.cell.annotation.meta.txt.
    exact
        Insist on the twelve samples and their published number of annotated cells.

    Returns
    -------
    Raw counts, cells x genes; obs condition (HC, M, S), cell_type, donor (sample_new), sample.

    Raises
    ------
    IntaeError
        If a file is missing or is not what it should be; the message names it.
    """
    import anndata
    import pandas as pd
    import scanpy as sc

    *matrices, annotation = files
    labels = pd.read_csv(annotation, sep="\t", encoding="utf-8")
    labels["barcode"] = labels["ID"].str.rsplit("_", n=1).str[0]
    parts = []
    for path in matrices:
        sample = Path(path).name.split("_")[1]
        if sample not in SAMPLES:
            msg = f"{path}: sample {sample!r} is not one of {', '.join(SAMPLES)}"
            raise IntaeError(msg)
        part = sc.read_10x_h5(path, gex_only=True)
        part.var_names_make_unique()
        own = labels[labels["sample"] == sample].set_index("barcode")
        part.obs_names = part.obs_names.str.rsplit("-", n=1).str[0]
        missing = own.index.difference(part.obs_names)
        if len(missing):
            msg = (
                f"{path}: {len(missing)} annotated barcodes are not in it, {missing[0]} among them"
            )
            raise IntaeError(msg)
        part = part[own.index].copy()
        part.obs = pd.DataFrame(
            {
                "condition": own["group"],
                "cell_type": own["celltype"],
                "donor": own["sample_new"],
                "sample": own["sample"],
                "cluster": own["cluster"].astype(str),
            }
        ).set_axis(own["ID"].to_numpy(), axis=0)
        log.info("%s: %d annotated cells", sample, part.n_obs)
        parts.append(part)
    adata = anndata.concat(parts, join="inner", merge="same")
    if exact and (len(parts) != len(SAMPLES) or adata.n_obs != N_CELLS):
        msg = (
            f"{annotation}: {adata.n_obs} annotated cells in {len(parts)} samples, not {N_CELLS} "
            f"in {len(SAMPLES)}; is a file missing or of another release?"
        )
        raise IntaeError(msg)
    log.info("COVID-19: %d cells x %d genes", *adata.shape)
    return adata

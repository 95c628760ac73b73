"""Liao et al. 2020 (GEO GSE145926): bronchoalveolar lavage in COVID-19, moderate and severe."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import anndata
import pandas as pd
import scanpy as sc
from anndata import AnnData

from .downloads import COVID_SAMPLES

log = logging.getLogger(__name__)


N_CELLS = 63_103  # of the annotation's 65,813: without the 2,710 of GSM3660650


def load_covid_balf(matrices: Sequence[Path], annotation: Path, *, exact: bool = True) -> AnnData:
    """Read the samples and join the authors' annotation on sample and barcode.

    A barcode can occur in several samples. It ends in -1 in the 10x files and in _k, the number
    of the sample, in the annotation. Cells that the authors filtered out are dropped; the fourth
    healthy control of the annotation (GSM3660650) is from another series and has no file here.

    Parameters
    ----------
    matrices
        10x HDF5 files named GSM..._SAMPLE_filtered_feature_bc_matrix.h5.
    annotation
        all.cell.annotation.meta.txt.
    exact
        Insist on the twelve samples and their published number of annotated cells.

    Returns
    -------
    Raw counts, cells x genes; obs condition (HC, M, S), cell_type, donor (sample_new), sample.
    """
    labels = pd.read_csv(annotation, sep="\t")
    labels["barcode"] = labels["ID"].str.rsplit("_", n=1).str[0]
    parts = []
    for path in matrices:
        sample = Path(path).name.split("_")[1]
        if sample not in COVID_SAMPLES:
            msg = f"{path}: sample {sample!r} is not one of {', '.join(COVID_SAMPLES)}"
            raise ValueError(msg)
        part = sc.read_10x_h5(path, gex_only=True)
        part.var_names_make_unique()
        own = labels[labels["sample"] == sample].set_index("barcode")
        part.obs_names = part.obs_names.str.rsplit("-", n=1).str[0]
        missing = own.index.difference(part.obs_names)
        if len(missing):
            msg = (
                f"{path}: {len(missing)} annotated barcodes are not in it, {missing[0]} among them"
            )
            raise ValueError(msg)
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
    if exact and (len(parts) != len(COVID_SAMPLES) or adata.n_obs != N_CELLS):
        msg = (
            f"{annotation}: {adata.n_obs} annotated cells in {len(parts)} samples, not {N_CELLS} "
            f"in {len(COVID_SAMPLES)}; is a file missing or of another release?"
        )
        raise ValueError(msg)
    log.info("COVID-19: %d cells x %d genes", *adata.shape)
    return adata

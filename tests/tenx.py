"""10x HDF5 files, written as Cell Ranger does."""

import h5py
import numpy as np
from scipy import sparse


def write_10x(path, X, barcodes, genes, types):
    """Write counts, cells x features, with the names and the type of each feature."""
    with h5py.File(path, "w") as file:
        matrix = sparse.csc_matrix(X.T)  # features x barcodes
        group = file.create_group("matrix")
        group["data"], group["indices"] = matrix.data, matrix.indices
        group["indptr"], group["shape"] = matrix.indptr, matrix.shape
        group["barcodes"] = np.array(barcodes, dtype="S")
        features = group.create_group("features")
        features["id"] = np.array([f"ENSG{i}" for i in range(len(genes))], dtype="S")
        features["name"] = np.array(genes, dtype="S")
        features["feature_type"] = np.array(types, dtype="S")
        features["genome"] = np.array(["GRCh38"] * len(genes), dtype="S")

"""An h5ad that the config asks to load in chunks: the same cells, genes and labels."""

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from scipy import sparse

import intae
from intae import chunks, io
from intae.benchmark.config import check_config, merge
from intae.errors import ConfigError, IntaeError
from intae.sources.loading import load_dataset, load_in_chunks, takes_chunks


@pytest.fixture
def entry(tmp_path, monkeypatch):
    """An entry of the config whose file has unnamed genes, unlabelled cells and a table beside."""
    monkeypatch.setattr(chunks, "CHUNK", 32)
    rng = np.random.default_rng(0)
    counts = AnnData(sparse.csr_matrix(rng.poisson(0.6, (200, 60)).astype(np.float32)))
    counts.X[:, 0] = 1
    counts.obs_names = [f"c{i}" for i in range(200)]
    counts.var["symbol"] = pd.Categorical([None, *(f"GENE{i}" for i in range(1, 60))])
    counts.obsm["X_umap"] = rng.normal(size=(200, 2))
    counts.obs["kept"] = np.where(np.arange(200) < 160, "yes", "no")
    table = pd.DataFrame({"cell": counts.obs_names, "type": np.tile(["A", "B"], 100)})
    table.loc[::9, "type"] = ""
    counts.write_h5ad(tmp_path / "cells.h5ad", compression="gzip")
    table.to_csv(tmp_path / "types.csv", index=False)
    return {
        "source": "file", "gene_column": "symbol", "metadata": {"file": "types.csv"},
        "labels": {"cell_type": "type"}, "filter": {"kept": "yes"}, "drop_unlabelled": True,
        "subset": {"n_cells": 90, "seed": 3},
    }  # fmt: skip


def test_the_same_as_in_memory(entry, tmp_path):
    files = [tmp_path / "cells.h5ad", tmp_path / "types.csv"]
    expected = load_dataset("mine", entry, files)
    load_in_chunks("mine", entry, files, None, tmp_path / "loaded.h5ad")
    loaded = anndata.read_h5ad(tmp_path / "loaded.h5ad")
    assert loaded.obs.equals(expected.obs) and loaded.var_names.equals(expected.var_names)
    assert loaded.shape == (90, 59) and (loaded.X != expected.X).nnz == 0
    np.testing.assert_array_equal(loaded.obsm["X_umap"], expected.obsm["X_umap"])
    sets = {"ODD": list(loaded.var_names[::2]), "ALL": list(loaded.var_names)}
    lazy = anndata.read_h5ad(tmp_path / "loaded.h5ad", backed="r")
    prepared = intae.prepare(lazy, sets, n_hvgs=30, min_genes=3, out=tmp_path / "prepared.h5ad")
    in_memory = intae.prepare(expected, sets, n_hvgs=30, min_genes=3)
    assert (prepared.X[:] != in_memory.X).nnz == 0
    np.testing.assert_array_equal(prepared.obsm["X_umap"], in_memory.obsm["X_umap"])


def test_a_whole_file_too(entry, tmp_path):
    load_in_chunks("mine", {"source": "file"}, [tmp_path / "cells.h5ad"], None, tmp_path / "l.h5ad")
    loaded = anndata.read_h5ad(tmp_path / "l.h5ad")
    assert (loaded.X != anndata.read_h5ad(tmp_path / "cells.h5ad").X).nnz == 0


def test_a_large_file_is_loaded_in_chunks_unless_its_counts_are_elsewhere(tmp_path, monkeypatch):
    path, logged = tmp_path / "large.h5ad", tmp_path / "logged.h5ad"
    counts = AnnData(sparse.csr_matrix(np.eye(30, dtype=np.float32)))
    counts.write_h5ad(path)
    counts.layers["counts"], counts.X = counts.X.copy(), counts.X * 0.5
    counts.write_h5ad(logged)
    mine = {"source": "file"}
    assert not takes_chunks(mine, [path])
    monkeypatch.setattr(io, "LARGE", 100)
    assert takes_chunks(mine, [path]) and not takes_chunks(mine | {"chunked": False}, [path])
    assert not takes_chunks({"source": "macosko15"}, [path])
    assert not takes_chunks(mine, [logged]) and takes_chunks(mine | {"matrix": "X"}, [logged])
    assert not takes_chunks(mine | {"matrix": "counts"}, [logged])


def test_what_it_cannot_take_is_refused(entry, tmp_path):
    files = [tmp_path / "cells.h5ad"]
    for more, message in (({"matrix": "counts"}, "X of an h5ad"), ({"format": "csv"}, "h5ad only")):
        with pytest.raises(IntaeError, match=message):
            load_in_chunks("mine", {"source": "file"} | more, files, None, tmp_path / "l.h5ad")
    with pytest.raises(IntaeError, match="no column 'nothing'"):
        load_in_chunks(
            "mine", {"source": "file", "gene_column": "nothing"}, files, None, tmp_path / "l.h5ad"
        )


@pytest.mark.parametrize(
    "more, message",
    [
        ({"file": "cells.csv"}, "is for an h5ad"),
        ({"matrix": "counts"}, "reads X only"),
        ({"hvg_flavor": "seurat_v3"}, "needs all cells in memory"),
    ],
)
def test_the_config_says_so_before_a_run(root, more, message):
    config = yaml.safe_load((root / "config.yaml").read_text())
    sets = [next(iter(config["gene_sets"]))]
    own = {"source": "file", "file": "cells.h5ad", "gene_sets": sets, "chunked": True}
    check_config(merge(config, {"datasets": {"mine": own}}))
    with pytest.raises(ConfigError, match=message):
        check_config(merge(config, {"datasets": {"mine": own | more}}))

"""Data beyond memory: the same result in chunks of cells, from files, as in memory."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

import intae
from intae import chunks, compressed
from intae.errors import ContractError, IntaeError
from intae.moments import second_moments
from intae.prepared import check_prepared

SETS = {f"SET{i}": [f"GENE{j}" for j in range(10 * i, 10 * i + 40)] for i in range(25)}


@pytest.fixture(scope="module")
def many():
    """Sparse counts of 700 cells and 300 genes of all kinds of means, in three cell types."""
    rng = np.random.default_rng(0)
    level = rng.lognormal(-2.5, 1.5, 300) * rng.lognormal(0, rng.gamma(1, 0.4, 300), (700, 300))
    level *= rng.lognormal(0, 0.4, (700, 1))
    level[:, 7] = 0
    adata = AnnData(sparse.csr_matrix(rng.poisson(level).astype(np.float32)))
    adata.var_names = [f"Gene{i}" for i in range(300)]
    adata.obs_names = [f"cell{i}" for i in range(700)]
    adata.obs["cell_type"] = pd.Categorical(np.array(["A", "B", "C"])[np.arange(700) % 3])
    adata.uns["note"], adata.obsm["X_umap"] = "kept", rng.normal(size=(700, 2))
    return adata


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Many chunks of few cells."""
    monkeypatch.setattr(chunks, "CHUNK", 64)


@pytest.fixture(scope="module")
def prepared(many):
    return intae.prepare(many, SETS, n_hvgs=120)


def backed(adata, path):
    adata.write_h5ad(path, compression="gzip")
    return anndata.read_h5ad(path, backed="r")


def as_array(X):
    X = X.to_memory() if hasattr(X, "to_memory") else X[:] if not sparse.issparse(X) else X
    return X.toarray() if sparse.issparse(X) else np.asarray(X)


def assert_same(found, expected):
    assert list(found.var_names) == list(expected.var_names)
    assert found.obs_names.equals(expected.obs_names) and found.obs.equals(expected.obs)
    np.testing.assert_array_equal(as_array(found.X), as_array(expected.X))
    np.testing.assert_array_equal(found.varm["annotations"], expected.varm["annotations"])
    assert list(found.uns["terms"]) == list(expected.uns["terms"])
    assert found.uns["gene_sets"].equals(expected.uns["gene_sets"])
    for key, value in expected.uns["prepare"].items():
        np.testing.assert_array_equal(found.uns["prepare"][key], value)


LOGGED = {"scale": "log"}


@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_prepared_data_are_those_of_memory(many, tmp_path, form, flavor):
    counts = many.copy()
    counts.X = form(many.X.toarray())
    options = {"n_hvgs": 90, "hvg_flavor": flavor, "keep_genes": ["GENE3"], "min_genes": 10}
    expected = intae.prepare(counts, SETS, **options)
    lazy = backed(counts, tmp_path / "counts.h5ad")
    found = intae.prepare(lazy, SETS, **options, out=tmp_path / "prepared.h5ad")
    assert found.isbacked
    assert_same(found, expected)
    check_prepared(found)
    assert found.uns["note"] == "kept"
    np.testing.assert_array_equal(found.obsm["X_umap"], counts.obsm["X_umap"])
    again = anndata.read_h5ad(tmp_path / "prepared.h5ad")
    assert_same(again, expected)
    assert sparse.issparse(again.X) == sparse.issparse(expected.X)


@pytest.mark.parametrize(
    "options",
    [
        {"target_sum": 1e4}, {"log1p": False, "hvg_flavor": "cell_ranger"}, {"normalize": False},
        {"n_hvgs": None},
        {"target_sum": 500, "hvg_flavor": "cell_ranger"}, {"scale": "normalized"}, {"n_hvgs": 5000},
    ],
)  # fmt: skip
def test_every_way_to_normalise_is_that_of_memory(many, tmp_path, options):
    found = intae.prepare(many, SETS, **{"n_hvgs": 90} | options, out=tmp_path / "p.h5ad")
    assert_same(found, intae.prepare(many, SETS, **{"n_hvgs": 90} | options))


def test_logarithms_and_layers_are_those_of_memory(many, tmp_path):
    logged = many.copy()
    logged.layers["counts"] = many.X
    sc.pp.normalize_total(logged)
    sc.pp.log1p(logged)
    for options in ({}, {"layer": "counts"}):
        found = intae.prepare(logged, SETS, n_hvgs=90, **options, out=tmp_path / "p.h5ad")
        assert_same(found, intae.prepare(logged, SETS, n_hvgs=90, **options))


def test_the_first_cells_may_mislead_about_the_scale(many, tmp_path):
    values = many.copy()
    values.X = many.X.copy()
    values.X.data[:] = values.X.data.clip(max=20)
    values.X.data[-3:] += 0.5  # no counts after all, but only the last cell tells
    found = intae.prepare(values, SETS, n_hvgs=90, out=tmp_path / "p.h5ad")
    assert found.uns["prepare"]["scale"] == "log"
    assert_same(found, intae.prepare(values, SETS, n_hvgs=90))


def test_the_file_is_passed_over_twice_and_never_read_whole(many, tmp_path, monkeypatch):
    lazy, rows = backed(many, tmp_path / "counts.h5ad"), []
    dataset = compressed.CompressedCells
    read = dataset.__getitem__

    def counted(self, index):
        block = read(self, index)
        rows.append(block.shape[0])
        return block

    monkeypatch.setattr(dataset, "__getitem__", counted)
    intae.prepare(lazy, SETS, n_hvgs=90, out=tmp_path / "p.h5ad")
    assert max(rows) <= 64
    assert sum(rows) <= 2 * 700 + 64  # and the first ones, to see the scale


def test_what_cannot_be_done_in_chunks_is_said(many, tmp_path):
    for flavor in ("pearson_residuals", "seurat_v3"):
        with pytest.raises(IntaeError, match=r"memory|scikit-misc"):
            intae.prepare(many, SETS, hvg_flavor=flavor, out=tmp_path / "p.h5ad")
    lazy = backed(many, tmp_path / "counts.h5ad")
    with pytest.raises(IntaeError, match="name another"):
        intae.prepare(lazy, SETS, out=tmp_path / "counts.h5ad")


@pytest.mark.parametrize("value, message", [(np.nan, "cell650.*Gene5"), (-1.0, "negative")])
def test_broken_values_are_told_and_leave_no_file(many, tmp_path, value, message):
    broken = many.copy()
    broken.X = many.X.copy()
    broken.X[650, 5] = value
    with pytest.raises(IntaeError, match=message):
        intae.prepare(broken, SETS, out=tmp_path / "p.h5ad")
    assert not list(tmp_path.iterdir())


def test_z_scores_and_empty_cells_are_refused_as_in_memory(many, tmp_path):
    scaled = many.copy()
    scaled.X = many.X.toarray()
    sc.pp.log1p(scaled)
    sc.pp.scale(scaled)
    empty = many.copy()
    empty.X = many.X.copy()
    empty.X[3] = 0
    for data, options, message in ((scaled, LOGGED, "z-scores"), (empty, {}, "no counts at all")):
        for out in (None, tmp_path / "p.h5ad"):
            with pytest.raises(IntaeError, match=message):
                intae.prepare(data, SETS, **options, out=out)


def test_half_a_file_is_never_left(many, tmp_path, monkeypatch):
    import intae.expression

    calls = []

    def stops(*given):
        calls.append(given)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return original(*given)

    original = intae.expression._of_genes
    monkeypatch.setattr(intae.expression, "_of_genes", stops)
    with pytest.raises(KeyboardInterrupt):
        intae.prepare(many, SETS, n_hvgs=90, out=tmp_path / "p.h5ad")
    assert not list(tmp_path.iterdir())


# --- moments


@pytest.mark.parametrize("extra", [None, 3])
def test_sparse_products_give_the_moments_of_dense_ones(many, monkeypatch, extra):
    X = many.X.copy()
    X.data = np.log1p(X.data)
    extra = None if extra is None else np.random.default_rng(0).normal(2, 1, (700, extra))
    monkeypatch.setattr("intae.moments.MANY", 0)
    monkeypatch.setattr(chunks, "SPARSE_SHARE", 1.0)
    by_sparse = second_moments(X, extra)
    unsorted = X.copy()
    for row in range(700):  # entries of a cell in another order
        entries = slice(X.indptr[row], X.indptr[row + 1])
        unsorted.indices[entries] = X.indices[entries][::-1]
        unsorted.data[entries] = X.data[entries][::-1]
    unsorted.has_sorted_indices = unsorted.has_canonical_format = False
    again = second_moments(unsorted, extra, chunk=100)
    monkeypatch.setattr(chunks, "SPARSE_SHARE", 0.0)
    by_dense = second_moments(X, extra)
    scale = np.sqrt(np.outer(np.diag(by_dense.gram), np.diag(by_dense.gram)))
    scale[scale == 0] = 1
    for moments in (by_sparse, again):
        np.testing.assert_allclose(moments.mean, by_dense.mean, rtol=1e-12)
        assert np.abs((moments.gram - by_dense.gram) / scale).max() < 1e-12


def test_sparse_moments_tell_of_broken_and_of_equal_cells(monkeypatch):
    monkeypatch.setattr("intae.moments.MANY", 0)
    X = sparse.csr_matrix(np.tile([0, 0, 0, 2.5] + 40 * [0.0], (50, 1)))
    with pytest.raises(ContractError, match="no gene varies"):
        second_moments(X)
    X.data[3] = np.inf
    with pytest.raises(ContractError, match="not finite"):
        second_moments(X)


# --- models


MODELS = {
    "exact": lambda: intae.Autoencoder(n_sparse=1),
    "covariates": lambda: intae.Autoencoder(covariates=["cell_type"]),
    "encoder": lambda: intae.Autoencoder(readout="encoder"),
    "fsclvm": lambda: intae.FSCLVM(n_dense=1, max_iter=40, covariates=["cell_type"]),
    "plier": lambda: intae.PLIER(max_iter=40),
    "pca": lambda: intae.PCA(n_dense=4),
    "mean": lambda: intae.GeneSetScore(method="mean"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_file_gives_the_fit_of_memory(prepared, tmp_path, monkeypatch, name):
    monkeypatch.setattr("intae.base.MANY_CELLS", 300)
    expected = MODELS[name]().fit(prepared)
    lazy = backed(prepared, tmp_path / "prepared.h5ad")
    found = MODELS[name]().fit(lazy)
    for table in ("weights_", "loadings_"):
        a, b = getattr(found, table), getattr(expected, table)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * max(1, np.abs(b).to_numpy().max()))
    order = prepared.var_names[::-1]
    some = np.arange(5, 500, 3)
    np.testing.assert_allclose(
        found.transform(lazy[some, order]), expected.transform(prepared[some]), atol=1e-10
    )
    np.testing.assert_allclose(found.transform(lazy[some]), found.loadings_.iloc[some], atol=1e-10)
    found.write_loadings(lazy, tmp_path / "loadings.h5ad")
    written = anndata.read_h5ad(tmp_path / "loadings.h5ad")
    np.testing.assert_array_equal(written.X, found.loadings_.to_numpy(np.float32))
    assert list(written.var_names) == list(found.terms_.index) and written.obs.equals(prepared.obs)


def test_cells_of_a_view_of_a_file_are_read_in_chunks(prepared, tmp_path, monkeypatch):
    model = intae.PCA(n_dense=4).fit(prepared)
    lazy, sizes = backed(prepared, tmp_path / "prepared.h5ad"), []
    dataset = compressed.CompressedCells
    read = dataset.__getitem__

    def counted(self, index):
        block = read(self, index)
        sizes.append(block.shape[0])
        return block

    monkeypatch.setattr(dataset, "__getitem__", counted)
    model.transform(lazy[20:, ::-1])
    assert max(sizes) <= 200  # of which it is seen whether they are counts
    assert sum(sizes) <= 680 + 3 * 200


def test_broken_cells_of_a_file_are_named(prepared, tmp_path):
    model = intae.Autoencoder().fit(prepared)
    broken = prepared.copy()
    broken.X = prepared.X.copy()
    broken.X[300, 2] = np.nan
    lazy = backed(broken, tmp_path / "prepared.h5ad")
    for call in (model.transform, intae.Autoencoder().fit, intae.FSCLVM().fit):
        with pytest.raises(ContractError, match="cell300"):
            call(lazy)


@pytest.mark.parametrize(
    "options",
    [{"compression": "gzip"}, {"compression": "gzip", "shuffle": True}],
    ids=["gzip", "gzip and shuffle"],
)
def test_cells_are_decompressed_as_hdf5_does(many, tmp_path, monkeypatch, options):
    """Whatever the rows and wherever the file's chunks end."""
    kept = np.ones(700, dtype=np.float32)
    kept[[0, 1, 2, -2, -1]] = 0  # cells without any entry, at both ends
    X = sparse.csr_matrix(many.X.multiply(kept[:, None]))
    X.eliminate_zeros()
    AnnData(X).write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "r+") as file:
        for name in ("data", "indices"):
            values = file[f"X/{name}"][:]
            del file[f"X/{name}"]
            file["X"].create_dataset(name, data=values, chunks=(1000,), **options)
    adata = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    read = chunks.decompressing(adata.X)
    assert isinstance(read, compressed.CompressedCells)
    for rows in (slice(0, 700), slice(0, 3), slice(690, 700), slice(5, 6), slice(7, 7)):
        found = read[rows]
        found.check_format()
        assert found.dtype == X.dtype
        np.testing.assert_array_equal(found.toarray(), X[rows].toarray())
    monkeypatch.setattr(type(adata.X), "__getitem__", None)  # nothing reads through HDF5's filters
    together = sparse.vstack([block for _, block in chunks.read_chunks(adata.X, 50)])
    np.testing.assert_array_equal(together.toarray(), X.toarray())


@pytest.mark.parametrize("compression", [None, "lzf"])
def test_other_files_are_left_to_hdf5(many, tmp_path, compression):
    many.write_h5ad(tmp_path / "cells.h5ad", compression=compression)
    adata = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    X = adata.X
    assert chunks.decompressing(X) is X
    together = sparse.vstack([block for _, block in chunks.read_chunks(X, 50)])
    np.testing.assert_array_equal(together.toarray(), many.X.toarray())


def test_a_broken_chunk_is_told(many, tmp_path):
    many.write_h5ad(tmp_path / "cells.h5ad", compression="gzip")
    with h5py.File(tmp_path / "cells.h5ad") as file:
        where = file["X/data"].id.get_chunk_info(0)
    with (tmp_path / "cells.h5ad").open("r+b") as file:
        file.seek(where.byte_offset + where.size // 2)
        file.write(bytes(50))
    adata = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    with pytest.raises(IntaeError, match=r"cells\.h5ad: /X/data cannot be decompressed"):
        intae.prepare(adata, SETS, out=tmp_path / "prepared.h5ad")
    assert not (tmp_path / "prepared.h5ad").exists()

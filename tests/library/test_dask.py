"""Arrays of Dask, on a local cluster of processes: the result of memory, also when workers die."""

import os
import signal
import threading
import time

import h5py
import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import intae
from intae.benchmark.host import peak_memory_mb
from intae.chunks import map_chunks
from intae.errors import ContractError, IntaeError
from intae.moments import second_moments

da = pytest.importorskip("dask.array", reason="Dask is not installed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")

SETS = {f"SET{i}": [f"GENE{j}" for j in range(10 * i, 10 * i + 40)] for i in range(15)}


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process that may use 2 GB."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="2GB", dashboard_address=None
        ) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def counts():
    """Sparse counts of 900 cells and 200 genes."""
    rng = np.random.default_rng(0)
    level = rng.lognormal(-2, 1.5, 200) * rng.lognormal(0, rng.gamma(1, 0.4, 200), (900, 200))
    adata = AnnData(sparse.csr_matrix(rng.poisson(level * 1.5).astype(np.float32)))
    adata.X[:, 0] = 1  # no cell is empty
    adata.var_names = [f"GENE{i}" for i in range(200)]
    adata.obs_names = [f"cell{i}" for i in range(900)]
    adata.obs["cell_type"] = np.array(["A", "B", "C"])[np.arange(900) % 3]
    return adata


def as_dask(adata, chunks):
    lazy = adata.copy()
    lazy.X = da.from_array(adata.X, chunks=chunks, asarray=False)
    return lazy


def largest(difference):
    return float(np.abs(np.asarray(difference)).max())


def moments_differ_by(found, expected):
    """Return the largest difference, as a share of the product of two genes' norms."""
    norms = np.sqrt(np.diag(expected.gram))
    norms[norms == 0] = 1
    return largest((found.gram - expected.gram) / norms / norms[:, None])


@pytest.fixture(params=["threads", "processes"])
def scheduler(request):
    """Dask without a cluster, and on one."""
    if request.param == "processes":
        request.getfixturevalue("cluster")
        yield
    else:
        import dask

        with dask.config.set(scheduler="threads"):
            yield


@pytest.mark.parametrize("form", [sparse.csr_matrix, lambda X: X.toarray()])
def test_prepared_data_and_fits_are_those_of_memory(scheduler, counts, tmp_path, form):
    held = counts.copy()
    held.X = form(counts.X)
    lazy = as_dask(held, (70, 200))
    expected = intae.prepare(held, SETS, n_hvgs=80)
    found = intae.prepare(lazy, SETS, n_hvgs=80)
    assert list(found.var_names) == list(expected.var_names)
    assert hasattr(found.X, "dask") and found.X.dtype == np.float32
    assert largest(np.asarray((found.X.compute() - expected.X).max())) == 0
    written = intae.prepare(lazy, SETS, n_hvgs=80, out=tmp_path / "prepared.h5ad").to_memory()
    assert largest(np.asarray((written.X - expected.X).max())) == 0
    X = expected.X.toarray() if sparse.issparse(expected.X) else expected.X
    assert moments_differ_by(second_moments(found.X), second_moments(X)) < 1e-10
    for make in (
        lambda: intae.Autoencoder(covariates=["cell_type"]),
        lambda: intae.FSCLVM(n_dense=1, max_iter=30),
        lambda: intae.PLIER(max_iter=20),
        lambda: intae.GeneSetScore(method="mean"),
    ):
        there, here = make().fit(found), make().fit(expected)
        scale = max(1, largest(here.loadings_))
        assert largest(there.loadings_.to_numpy() - here.loadings_.to_numpy()) < 1e-10 * scale
        some = as_dask(expected, (100, expected.n_vars))[:300, ::-1]
        assert largest(there.transform(some) - here.transform(expected[:300])) < 1e-9


def test_anndatas_lazy_reader_is_taken(cluster, counts, tmp_path):
    pytest.importorskip("xarray", reason="read_lazy needs xarray")
    from anndata.experimental import read_elem_lazy, read_lazy

    counts.write_h5ad(tmp_path / "counts.h5ad", compression="gzip")
    expected = intae.prepare(counts, SETS, n_hvgs=80)
    found = intae.prepare(read_lazy(tmp_path / "counts.h5ad"), SETS, n_hvgs=80)
    assert found.obs["cell_type"].astype(str).equals(expected.obs["cell_type"].astype(str))
    assert largest(np.asarray((found.X.compute() - expected.X).max())) == 0
    with h5py.File(tmp_path / "counts.h5ad") as file:
        lazy = AnnData(read_elem_lazy(file["X"], chunks=(250, 200)), obs=counts.obs, var=counts.var)
        found = intae.prepare(lazy, SETS, n_hvgs=80)
        assert largest(np.asarray((found.X.compute() - expected.X).max())) == 0


def test_columns_may_be_chunked_and_sizes_must_be_known(counts):
    X = da.from_array(counts.X.toarray(), chunks=(70, 33))
    assert moments_differ_by(second_moments(X), second_moments(counts.X.toarray())) < 1e-10
    unknown = X[X[:, 0] > 0]
    with pytest.raises(IntaeError, match="compute_chunk_sizes"):
        list(map_chunks(len, unknown))


def test_broken_cells_are_named(counts):
    broken = counts.copy()
    broken.X = counts.X.toarray()
    prepared = intae.prepare(broken, SETS, n_hvgs=80)
    prepared.X[650, 3] = np.nan
    with pytest.raises(ContractError, match="cell650"):
        intae.Autoencoder().fit(as_dask(prepared, (70, prepared.n_vars)))
    broken.X[650, 3] = np.inf
    with pytest.raises(IntaeError, match=r"cell650.*GENE3"):
        intae.prepare(as_dask(broken, (70, 200)), SETS)


def slowly(seconds):
    """Return a function that takes its time, pickled by value for the workers."""

    def wait(block):
        time.sleep(seconds)
        return block

    return wait


def test_a_worker_that_dies_costs_time_and_not_the_result(cluster, monkeypatch):
    monkeypatch.setattr("intae.chunks.TASK", 50)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 30))
    lazy = da.from_array(X, chunks=(50, 30)).map_blocks(slowly(0.1), dtype=float)
    before = {w["pid"] for w in cluster.run(lambda: {"pid": os.getpid()}).values()}
    victim = min(before)
    killer = threading.Timer(0.8, os.kill, (victim, signal.SIGKILL))
    killer.start()
    moments = second_moments(lazy)
    killer.join()
    after = {w["pid"] for w in cluster.run(lambda: {"pid": os.getpid()}).values()}
    assert victim not in after  # it died while there was work to do
    expected = second_moments(X)
    assert moments_differ_by(moments, expected) < 1e-10


def test_a_worker_holds_some_chunks_and_not_all_cells(cluster):
    def cells(block_info=None):
        rows = block_info[None]["array-location"][0]
        return np.random.default_rng(rows[0]).normal(size=(rows[1] - rows[0], 500))

    X = da.map_blocks(cells, chunks=((1000,) * 200, (500,)), dtype=float)  # 800 MB
    cluster.wait_for_workers(2, timeout=60)  # one may have been killed a moment ago
    before = cluster.run(peak_memory_mb)
    moments = second_moments(X)
    after = cluster.run(peak_memory_mb)
    assert max(after[worker] - before[worker] for worker in before) < 250
    assert np.diag(moments.covariance).mean() == pytest.approx(1, abs=0.01)

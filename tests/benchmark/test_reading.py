"""How a step opens its cells: by size in memory or in chunks, from the file or on Dask."""

import logging
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

import intae
from intae import io
from intae.benchmark.reading import cells_of
from intae.benchmark.training import training_data
from intae.chunks import is_dask
from intae.errors import ConfigError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Prepared data of 90 cells, sparse."""
    data = intae.simulate(90, 40, 6, n_active=3, seed=0)
    data.X = sparse.csr_matrix(data.X)
    path = tmp_path_factory.mktemp("reading") / "prepared.h5ad"
    data.write_h5ad(path)
    return path


def loadings(cells):
    return intae.Autoencoder(threads=1).fit(cells).loadings_.to_numpy()


def test_large_is_told_by_the_size_in_memory(path, tmp_path, monkeypatch):
    assert not io.is_large(path)
    monkeypatch.setattr(io, "LARGE", 8 * 90 * 40 - 1)  # float32 and int32 per entry
    assert io.is_large(path)
    dense, by_genes = intae.simulate(90, 40, 6, n_active=3, seed=0), tmp_path / "csc.h5ad"
    dense.write_h5ad(tmp_path / "dense.h5ad")
    assert not io.is_large(tmp_path / "dense.h5ad")  # half of it
    dense.X = sparse.csc_matrix(dense.X)
    dense.write_h5ad(by_genes)
    assert not io.is_large(by_genes)  # no chunk of cells could be read
    (tmp_path / "text.h5ad").write_text("no data")
    assert not io.is_large(tmp_path / "text.h5ad")
    assert not io.is_large(tmp_path / "nothing.h5ad")


def test_few_cells_are_in_memory_and_many_in_their_file(path, monkeypatch):
    with cells_of(path) as cells:
        assert not cells.isbacked
        expected = loadings(cells)
    monkeypatch.setattr(io, "LARGE", 100)
    with cells_of(path) as cells:
        assert cells.isbacked
        np.testing.assert_allclose(loadings(cells), expected, atol=1e-10)
        permuted = training_data(cells, {"permute_annotations": True}, 0)
        assert np.isfinite(loadings(permuted)).all()
    with cells_of(path, chunked=False) as cells:
        assert not cells.isbacked


def test_chunks_go_to_dask_where_the_config_says_so(path, caplog):
    pytest.importorskip("distributed")
    expected = loadings(intae.io.read_h5ad(path))
    with (
        caplog.at_level(logging.INFO, logger="intae"),
        cells_of(path, chunked=True, dask="local") as cells,
    ):
        assert is_dask(cells.X)
        np.testing.assert_allclose(loadings(cells), expected, atol=1e-10)
    assert "chunks of cells go to Dask at tcp://" in caplog.text
    with cells_of(path, dask="local") as cells:  # few cells do not
        assert not is_dask(cells.X)


def test_a_scheduler_that_is_not_there_is_told_plainly(path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    real = distributed.Client

    def at_once(address, timeout):
        return real(address, timeout="1s")

    monkeypatch.setattr(distributed, "Client", at_once)
    with (
        pytest.raises(ConfigError, match=r"no scheduler of Dask answers at 'tcp://127\.0\.0\.1:9'"),
        cells_of(path, chunked=True, dask="tcp://127.0.0.1:9"),
    ):
        pass


def test_without_dask_the_config_is_told_so(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ConfigError, match="Dask is not installed"),
        cells_of(path, chunked=True, dask="local"),
    ):
        pass


def test_processes_of_dask_do_not_run_the_script_of_a_step_again(path, root, tmp_path):
    """Nor may anndata think that Dask is not installed."""
    pytest.importorskip("distributed")
    script = tmp_path / "step.py"
    script.write_text(
        "import sys; sys.path.insert(0, 'scripts'); print('begins')\n"
        "class snakemake:\n"
        "    config = {'dask': 'local', 'datasets': {'mine': {'chunked': True}}}\n"
        "    class wildcards: dataset = 'mine'\n"
        "    threads = 1\n"
        "from _step import chunks\n"
        "from intae.benchmark.reading import cells_of\n"
        "from intae.moments import second_moments\n"
        f"with cells_of({str(path)!r}, **chunks(snakemake)) as cells:\n"
        "    print(type(cells.X).__module__, second_moments(cells.X).mean.sum())\n"
    )
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=root
    )
    begins, values = ran.stdout.splitlines()
    assert begins == "begins" and values.startswith("dask.array")
    expected = io.read_h5ad(path).X.mean(0).sum()
    assert float(values.split()[1]) == pytest.approx(expected, rel=1e-5)

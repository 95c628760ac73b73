"""The network's encoder as arrays: its last layer, and the signs of its loadings."""

import anndata
import numpy as np
import pytest
import torch
from torch import nn

import intae
from intae.autoencoder import data, feed
from intae.autoencoder.network import (
    arrays,
    last_layer,
    load_encoder,
    make_encoder,
    orient_encoder,
)


def test_the_last_layer_is_the_last_by_number():
    assert last_layer(["0.weight", "8.bias", "10.bias", "9.weight"]) == "10"
    assert last_layer(make_encoder(5, 3).state_dict()) == "8"


def test_signs_are_turned_in_the_last_layer_alone():
    """Also where its number has two digits and others have one."""
    sign = np.array([1.0, -1.0, -1.0])
    hidden = [layer for _ in range(5) for layer in (nn.Linear(5, 5), nn.ELU())]
    for network in (make_encoder(5, 3).eval(), nn.Sequential(*hidden, nn.Linear(5, 3))):
        cells = torch.randn(20, 5)
        with torch.no_grad():
            before = network(cells).numpy()
            turned = orient_encoder(arrays(network), sign)
            network.load_state_dict({k: torch.as_tensor(v) for k, v in turned.items()})
            assert np.array_equal(network(cells).numpy(), before * sign.astype(np.float32))


def test_an_encoder_comes_back_from_its_arrays():
    encoder, cells = make_encoder(5, 3).eval(), torch.randn(20, 5)
    back = load_encoder(arrays(encoder), torch.device("cpu"))
    with torch.no_grad():
        assert torch.equal(back(cells), encoder(cells))


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """The same cells in memory and in a file, of which little may come into memory."""
    monkeypatch.setattr(feed, "RESIDENT", 0)
    monkeypatch.setattr(data, "RUN", 16)
    monkeypatch.setattr(data, "BUFFER", 4 * 60 * 64)  # 64 cells of 60 genes
    cells = intae.simulate(n_cells=401, n_genes=60, n_terms=8, n_active=3, seed=2)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    return cells, anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")


@pytest.mark.parametrize("size", [25, 64, 100, 400, 401])
def test_every_cell_of_a_file_comes_once_per_epoch(stored, size):
    cells, backed = stored
    read = data.Cells(backed, None)
    batches = list(read.shuffled(size, np.random.default_rng(0)))
    assert sorted(np.concatenate([some for some, _ in batches])) == list(range(401))
    assert {len(some) for some, _ in batches[:-1]} <= {size}
    assert 1 < len(batches[-1][0]) <= size + 1
    X = np.asarray(cells.X) - read.mean
    for some, Y in batches:
        np.testing.assert_allclose(Y, X[some], atol=1e-5)
    first = batches[0][0]
    assert len(first) < 2 or (np.diff(first) != 1).any()  # shuffled
    again = next(read.shuffled(size, np.random.default_rng(1)))[0]
    assert not np.array_equal(first, again)


@pytest.mark.parametrize("solver", ["adam", "proximal"])
def test_the_network_trains_from_a_file(stored, monkeypatch, solver):
    """From a file the batches are others, and what comes of them is as good and repeats itself."""
    cells, backed = stored
    params = {"solver": solver, "epochs": 20, "seed": 1, "device": "cpu", "threads": 1}
    whole = intae.Autoencoder(**params).fit(cells)
    read = data.Cells.batch

    def by_runs(self, cells):
        assert isinstance(cells, slice), "cell by cell"
        return read(self, cells)

    monkeypatch.setattr(data.Cells, "batch", by_runs)
    first, again = (intae.Autoencoder(**params).fit(backed) for _ in range(2))
    np.testing.assert_array_equal(first.weights_, again.weights_)
    begins, ends = (first.history_["objective"].iloc[i] for i in (0, -1))
    reached = whole.history_["objective"].iloc[-1]
    assert ends < begins and abs(ends - reached) < 0.1 * (begins - reached)

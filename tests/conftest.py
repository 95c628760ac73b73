"""What several tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from autoencoders import SOLVERS, model

import intae

ROOT = Path(__file__).parents[1]

# The files that take longest come first, so that no worker of `make test` is left with one.
LONGEST = (
    "test_workflow.py", "test_folder.py", "test_dask.py", "test_pages_browser.py",
    "test_drawing.py", "test_docs.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; all else stays in its order."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def simulated() -> AnnData:
    """Small simulated data; a test that changes them takes a copy."""
    return intae.simulate(n_cells=200, n_genes=80, n_terms=8, n_active=3, n_dense=1, seed=1)


@pytest.fixture(scope="session")
def cells() -> AnnData:
    """What the autoencoders are tried on; a test that changes them takes a copy."""
    return intae.simulate(250, 60, 8, n_active=4, n_dense=1, strength=(0.6, 1.2), seed=3)


@pytest.fixture(scope="session")
def fits(cells: AnnData) -> dict[str, intae.Autoencoder]:
    """One autoencoder of each solver, fitted to the cells; not to be changed."""
    return {solver: model(solver, n_sparse=1, n_dense=1).fit(cells) for solver in SOLVERS}


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Limit torch to one thread: these networks are too small for more to help."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def close_figures() -> Iterator[None]:
    """Close what a test has drawn."""
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def counts() -> AnnData:
    """Raw counts of 60 cells and 50 genes, GENE0..., half of them more variable."""
    rng = np.random.default_rng(0)
    level = np.where(np.arange(50) < 25, 1.0, rng.gamma(0.3, size=(60, 50)) * 4)
    X = rng.poisson(level + 0.2).astype(np.float32)
    X[:, 0] += 1  # no cell is empty
    adata = AnnData(X)
    adata.var_names = [f"GENE{i}" for i in range(50)]
    adata.obs_names = [f"cell{i}" for i in range(60)]
    adata.obs["condition"] = np.where(np.arange(60) < 30, "ctrl", "stim")
    return adata


def mirror_file(name: str) -> Path:
    """Return a real data file, or skip the test where there is none."""
    from intae.sources.downloads import find_in_mirror

    folder = os.environ.get("INTAE_MIRROR")
    path = find_in_mirror(name, folder) if folder else None
    if path is None:
        pytest.skip(f"INTAE_MIRROR names no folder with {name}")
    return path

"""Reconstruction, against computations of its own."""

import numpy as np
import pandas as pd
import pytest

import intae
from intae.metrics.variance import variance_explained


def dense(adata):
    X = adata.X
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)


@pytest.fixture(scope="module")
def cells():
    return intae.simulate(n_cells=240, n_genes=60, n_terms=6, n_active=3, n_dense=1, seed=3)


def test_variance_explained_is_zero_at_the_training_mean(cells):
    train, test = np.arange(200), np.arange(200, 240)
    model = intae.PCA(n_dense=2, threads=1).fit(cells[train].copy())
    model.weights_ *= 0
    assert variance_explained(model, cells, test, train) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("compat", [None, "slalom"])
def test_fsclvm_reconstructs_with_its_covariates(cells, compat, tmp_path):
    model = intae.FSCLVM(n_dense=1, covariates=["batch"], compat=compat, max_iter=30, threads=1)
    model.fit(cells)
    made = model.reconstruct(cells)
    batches = pd.get_dummies(cells.obs["batch"]).to_numpy(float)[:, 1:]
    if compat is None:
        batches = batches - batches.mean(0)
    by_hand = dense(cells).mean(0) + model.encode(cells).to_numpy() @ model.weights_.to_numpy().T
    by_hand += batches @ model.covariate_weights_.to_numpy().T
    np.testing.assert_allclose(made, by_hand, atol=1e-5)
    assert np.abs(batches @ model.covariate_weights_.to_numpy().T).max() > 1e-3
    model.save(tmp_path / "model.h5")
    np.testing.assert_allclose(intae.FSCLVM.load(tmp_path / "model.h5").reconstruct(cells), made)


def test_scores_say_that_they_do_not_reconstruct(cells):
    with pytest.raises(NotImplementedError, match="GeneSetScore gives loadings only"):
        intae.GeneSetScore(threads=1).fit(cells).reconstruct(cells)

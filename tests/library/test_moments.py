"""The one pass over the cells."""

import anndata
import numpy as np
import pytest
from scipy import sparse

from intae.prepared import iter_chunks, second_moments


@pytest.mark.parametrize("chunk", [7, 64, 1000])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_moments_are_those_of_the_dense_matrix(chunk, kind):
    rng = np.random.default_rng(0)
    X = rng.poisson(1.0, (150, 12)).astype(np.float32)
    extra = rng.normal(3.0, 1.0, (150, 4))
    Y = np.hstack([X - X.mean(0, dtype=float), extra])
    moments = second_moments(kind(X), extra, chunk=chunk)
    np.testing.assert_allclose(moments.mean, X.mean(0, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(moments.gram, Y.T @ Y, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(moments.covariance, np.cov(X.T, bias=True), atol=1e-10)


def test_digits_survive_a_large_mean():
    rng = np.random.default_rng(0)
    X = 1e6 + rng.normal(size=(200, 5))
    np.testing.assert_allclose(second_moments(X).covariance, np.cov(X.T, bias=True), rtol=1e-6)


def test_backed_files_are_read_in_chunks(simulated, tmp_path):
    for name, X in (("dense", simulated.X), ("sparse", sparse.csr_matrix(simulated.X))):
        copy = simulated.copy()
        copy.X = X
        copy.write_h5ad(tmp_path / f"{name}.h5ad")
        backed = anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r")
        sizes = [len(block) for _, block in iter_chunks(backed.X, 64)]
        assert sizes == [64, 64, 64, 8]
        np.testing.assert_allclose(
            second_moments(backed.X, chunk=64).gram, second_moments(simulated.X).gram, rtol=1e-9
        )

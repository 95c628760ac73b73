"""Counts restored from prepared data are those that were prepared, or it says why not."""

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import intae
from intae.counts import restore_counts
from intae.errors import IntaeError

SETS = {"a": ["0", "1", "2", "3"], "b": ["2", "3", "4", "5", "6"]}


@pytest.fixture
def counts():
    """Counts of 40 cells x 9 genes, small and very large ones, the last two in no set."""
    rng = np.random.default_rng(0)
    mean = rng.lognormal(0, 0.7, (40, 1)) * np.array([0.1, 1, 5, 20, 100, 1000, 10_000, 50, 2])
    X = rng.poisson(mean)
    X[:, 1] += 1  # no cell is empty
    return AnnData(X.astype(np.float32))


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("target", [None, 1e4])
def test_counts_come_back_exactly(counts, kind, target):
    given = AnnData(kind(counts.X), var=counts.var)
    prepared = intae.prepare(given, SETS, n_hvgs=None, min_genes=0, target_sum=target)
    found = restore_counts(prepared, "Model")
    assert sparse.issparse(found) and found.dtype == np.float32
    np.testing.assert_array_equal(found.toarray(), counts[:, prepared.var_names].X)
    part = prepared[[5, 3]].copy()[:, ::-1].copy()
    expected = counts[[5, 3], part.var_names].X
    np.testing.assert_array_equal(restore_counts(part, "Model").toarray(), expected)


def test_what_cannot_be_restored_is_refused(counts):
    logged = AnnData(np.log1p(counts.X / 3), var=counts.var)
    for given, options in (
        (logged, {}),
        (counts, {"normalize": False}),
        (counts, {"log1p": False}),
    ):
        prepared = intae.prepare(given.copy(), SETS, n_hvgs=None, min_genes=0, **options)
        assert "size_factor" not in prepared.obs
        with pytest.raises(
            IntaeError, match=r"Model needs raw counts.*prepare the raw counts with"
        ):
            restore_counts(prepared, "Model")
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=0)
    prepared.X = prepared.X * np.float32(1.01)
    with pytest.raises(IntaeError, match=r"gives no whole counts .*leave X as it is then"):
        restore_counts(prepared, "Model")

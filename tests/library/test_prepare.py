"""The prepare filter and what it promises."""

import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

import intae
from intae.errors import IntaeError
from intae.preparation import filter_annotations

SETS = {
    "A": [f"gene{i}" for i in range(20, 35)],
    "B": [f"GENE{i}" for i in range(30, 50)],
    "SMALL": ["GENE1", "GENE2", "GENE3"],
}


def test_prepared_values_are_scanpys(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    expected = counts.copy()
    sc.pp.normalize_total(expected)
    sc.pp.log1p(expected)
    np.testing.assert_allclose(prepared.X, expected[:, prepared.var_names].X, rtol=1e-6)
    assert prepared.X.dtype == np.float32
    assert list(prepared.uns["terms"]) == ["A", "B"]
    assert prepared.varm["annotations"].shape == (prepared.n_vars, 2)


def test_the_result_is_checked_once(counts, monkeypatch):
    calls = []
    monkeypatch.setattr("intae.preparation.check_prepared", calls.append)
    prepared = intae.prepare(counts, SETS, n_hvgs=20, min_genes=2)
    assert len(calls) == 1 and calls[0] is prepared


def test_input_is_not_changed(counts):
    before = counts.copy()
    intae.prepare(counts, SETS, n_hvgs=20, min_genes=2)
    np.testing.assert_array_equal(counts.X, before.X)
    assert list(counts.var_names) == list(before.var_names)
    assert dict(counts.uns) == dict(before.uns)


def test_sparse_stays_sparse_and_is_the_same(counts):
    dense = intae.prepare(counts, SETS, n_hvgs=20, min_genes=4)
    as_sparse = AnnData(sparse.csr_matrix(counts.X), obs=counts.obs, var=counts.var)
    prepared = intae.prepare(as_sparse, SETS, n_hvgs=20, min_genes=4)
    assert sparse.issparse(prepared.X)
    assert list(prepared.var_names) == list(dense.var_names)
    np.testing.assert_allclose(prepared.X.toarray(), dense.X, rtol=1e-6)


def test_hvgs_are_counted_among_annotated_genes(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=15, min_genes=1)
    assert prepared.n_vars <= 15
    annotated = {gene.upper() for genes in SETS.values() for gene in genes}
    assert set(prepared.var_names) <= annotated


def test_filter_reaches_its_fixed_point():
    # set 2 falls first; gene 3, in it alone, follows; nothing else may fall
    known = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]])
    genes, sets = filter_annotations(known, min_genes=2)
    np.testing.assert_array_equal(sets, [True, True, False])
    np.testing.assert_array_equal(genes, [True, True, True, False, True])
    again, sets_again = filter_annotations(known[genes][:, sets], min_genes=2)
    assert again.all() and sets_again.all()


def test_kept_sets_have_more_than_min_genes(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=15)
    assert list(prepared.uns["terms"]) == ["B"]  # A has 15, which is not more than 15
    assert (prepared.varm["annotations"].sum(1) > 0).all()


def test_log_normalised_data_pass_through(counts):
    log = counts.copy()
    log.X = np.log1p(log.X)
    prepared = intae.prepare(log, SETS, n_hvgs=None, min_genes=5, normalize=False, log1p=False)
    np.testing.assert_array_equal(prepared.X, log[:, prepared.var_names].X)


def test_no_gene_in_common_says_why(counts):
    counts.var_names = [f"ENSG{i:011d}" for i in range(50)]
    with pytest.raises(IntaeError, match=r"Ensembl ids \(gene_column: "):
        intae.prepare(counts, SETS)


def test_no_set_left_says_what_to_do(counts):
    with pytest.raises(IntaeError, match="lower min_genes"):
        intae.prepare(counts, SETS, min_genes=40)


def test_genes_that_are_zero_everywhere_are_left_out(counts):
    counts.X[:, 40] = 0
    prepared = intae.prepare(counts, SETS, n_hvgs=1000, min_genes=5)
    assert "GENE40" not in prepared.var_names and "GENE41" in prepared.var_names


def test_empty_cells_are_named(counts):
    counts.X[7] = 0
    with pytest.raises(IntaeError, match=r"1 cells have no counts at all, 'cell7'"):
        intae.prepare(counts, SETS)


def test_scaled_data_are_refused_and_logged_data_warned_of(counts):
    logged = counts.copy()
    logged.X = np.log1p(logged.X)
    with pytest.warns(UserWarning, match="no integers, so it may be normalised or logged"):
        intae.prepare(logged, SETS, min_genes=5)
    logged.X -= logged.X.mean(0)
    with pytest.raises(IntaeError, match=r"negative values .* so it was scaled or centred"):
        intae.prepare(logged, SETS, min_genes=5)


def test_new_cells_can_be_normalised_as_the_training_cells_were(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    new = counts[:10].copy()
    sc.pp.normalize_total(new, target_sum=prepared.uns["prepare"]["total"])
    sc.pp.log1p(new)
    np.testing.assert_allclose(new[:, prepared.var_names].X, prepared.X[:10], rtol=1e-5)

"""Prepared data and fits that break the contract are refused by slot."""

import numpy as np
import pytest

from intae.benchmark.fits import read_fit, write_fit
from intae.controls import PCA
from intae.prepared import ContractError, check_fit, check_prepared


def drop_annotations(a):
    del a.varm["annotations"]


def drop_terms(a):
    del a.uns["terms"]


def two_in_annotations(a):
    a.varm["annotations"] = a.varm["annotations"].astype(float) * 2


def one_term_less(a):
    a.uns["terms"] = a.uns["terms"][1:]


def empty_term(a):
    annotations = a.varm["annotations"].copy()
    annotations[:, 2] = 0
    a.varm["annotations"] = annotations


def same_name(a):
    terms = a.uns["terms"].copy()
    terms[1] = terms[0]
    a.uns["terms"] = terms


def integers(a):
    a.X = np.zeros(a.shape, dtype=int)


def not_finite(a):
    a.X[3, 4] = np.nan


@pytest.mark.parametrize(
    ("damage", "slot"),
    [
        (drop_annotations, r'varm\["annotations"\]: is missing'),
        (drop_terms, r'uns\["terms"\]: is missing'),
        (two_in_annotations, "values other than 0 and 1"),
        (one_term_less, 'uns."terms". names 7 terms'),
        (empty_term, "1 terms have no gene, 'SIMULATED_PATHWAY_3'"),
        (same_name, "'SIMULATED_PATHWAY_1' stands there more than once"),
        (integers, "X: has type int64"),
        (not_finite, "X: nan at cell 'cell_4', gene 'GENE5'"),
    ],
)
def test_broken_prepared_data(simulated, damage, slot):
    adata = simulated.copy()
    check_prepared(adata)
    damage(adata)
    with pytest.raises(ContractError, match=slot):
        check_prepared(adata)


def test_fit_round_trip_and_check(simulated, tmp_path):
    model = PCA(n_dense=3).fit(simulated)
    path = tmp_path / "fit.h5ad"
    write_fit(model, simulated, path, {"method": "pca", "seed": 0})
    fit = read_fit(path)
    np.testing.assert_allclose(fit.obsm["loadings"], model.loadings_, rtol=1e-5, atol=1e-5)
    assert list(fit.uns["terms"].index) == ["dense_1", "dense_2", "dense_3"]
    assert fit.uns["fit"]["model"] == "PCA"
    assert list(fit.obs.columns) == list(simulated.obs.columns)
    broken = fit.copy()
    broken.obsm["loadings"] = broken.obsm["loadings"][:, 1:]
    with pytest.raises(ContractError, match="2 columns"):
        check_fit(broken)


def test_half_a_file_is_never_left(simulated, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr("anndata.AnnData.write_h5ad", fail)
    with pytest.raises(OSError, match="No space left"):
        write_fit(PCA(n_dense=2).fit(simulated), simulated, tmp_path / "fit.h5ad", {})
    assert list(tmp_path.iterdir()) == []

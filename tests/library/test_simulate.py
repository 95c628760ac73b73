"""The simulated data are what they say."""

import numpy as np
import pandas as pd
import pytest

import intae
from intae.errors import IntaeError
from intae.sources.loading import load_dataset


def test_truth_explains_the_data():
    adata = intae.simulate(n_cells=2000, n_genes=100, n_terms=10, n_active=4, noise=(0.1, 0.1))
    signal = adata.obsm["true_loadings"] @ adata.varm["true_weights"].T
    residual = adata.X - adata.X.mean(0) - (signal - signal.mean(0))
    assert residual.std() == pytest.approx(0.1, rel=0.02)


def test_seed_decides_everything():
    a, b = (intae.simulate(n_cells=50, n_genes=60, n_terms=6, n_active=3, seed=3) for _ in "ab")
    c = intae.simulate(n_cells=50, n_genes=60, n_terms=6, n_active=3, seed=4)
    np.testing.assert_array_equal(a.X, b.X)
    assert a.obs.equals(b.obs)
    assert not np.array_equal(a.X, c.X)


def test_sets_are_wrong_and_incomplete_as_asked():
    adata = intae.simulate(n_genes=400, n_terms=12, n_active=6, wrong=0.2, missing=0.1, seed=2)
    true = adata.varm["true_weights"][:, :12] != 0
    known = adata.varm["annotations"] > 0
    active = adata.uns["true_terms"]["active"].to_numpy()[:12]
    assert active.sum() == 6
    size = known[:, active].sum(0)
    np.testing.assert_array_equal((known & ~true)[:, active].sum(0), np.round(0.2 * size))
    np.testing.assert_array_equal((true & ~known)[:, active].sum(0), np.round(0.1 * size))
    assert not true[:, ~active].any()


def test_some_sets_contain_others():
    known = intae.simulate(n_genes=400, n_terms=30, seed=0).varm["annotations"] > 0
    inside = [(known[:, i] <= known[:, j]).all() for i in range(30) for j in range(30) if i != j]
    assert 3 <= sum(inside) <= 25


def test_first_active_term_is_the_condition():
    adata = intae.simulate(seed=5)
    strongest = adata.uns["true_terms"].query("kind == 'annotated'")["strength"].idxmax()
    position = adata.uns["true_terms"].index.get_loc(strongest)
    z, stimulated = adata.obsm["true_loadings"][:, position], adata.obs["condition"] == "stimulated"
    assert ((z > 0) == stimulated).mean() > 0.98


def test_real_annotations_can_be_given():
    annotations = pd.DataFrame(
        np.random.default_rng(0).random((40, 5)) < 0.3,
        index=[f"g{i}" for i in range(40)], columns=list("abcde"),
    )  # fmt: skip
    adata = intae.simulate(n_cells=30, annotations=annotations, n_active=3)
    assert list(adata.uns["terms"]) == list("abcde")
    assert list(adata.var_names) == list(annotations.index)


def test_a_data_set_takes_the_gene_sets_of_another(tmp_path, simulated):
    simulated.write_h5ad(tmp_path / "prepared.h5ad")
    params = {"n_cells": 40, "n_active": 3, "n_dense": 1, "seed": 5}
    entry = {"source": "simulated", "params": params, "annotations_of": "other"}
    adata = load_dataset("planted", entry, [tmp_path / "prepared.h5ad"])
    assert list(adata.var_names) == list(simulated.var_names)
    assert list(adata.uns["terms"]) == list(simulated.uns["terms"])
    np.testing.assert_array_equal(adata.varm["annotations"], simulated.varm["annotations"])
    assert adata.n_obs == 40 and adata.uns["true_terms"]["active"].sum() == 3 + 1
    again = intae.simulate(**params, annotations=pd.DataFrame(
        simulated.varm["annotations"], simulated.var_names, list(simulated.uns["terms"])
    ))  # fmt: skip
    np.testing.assert_array_equal(adata.X, again.X)


def test_too_few_or_too_many_active_terms():
    with pytest.raises(IntaeError, match="n_active must be an integer of at least 3"):
        intae.simulate(n_active=2)
    with pytest.raises(IntaeError, match="only 30 terms"):
        intae.simulate(n_active=31)

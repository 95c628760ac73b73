"""The wrapper of the slalom package, against the package called by hand."""

import sys

import numpy as np
import pandas as pd
import pytest
import scipy
import sklearn.decomposition

import intae
from intae.slalom.run import import_slalom


@pytest.fixture(scope="module")
def adata():
    return intae.simulate(150, 70, 6, n_active=3, seed=3)


@pytest.fixture(scope="module")
def fitted(adata):
    return intae.Slalom(n_dense=1, n_sparse=2, max_iter=15).fit(adata)


def by_hand(adata, n_iter, **kwargs):
    """Run the package as its documentation says, after np.random.seed(222)."""
    slalom = import_slalom()
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(222)  # noqa: NPY002
        fa = slalom.initFA(
            np.array(adata.X, dtype=float), np.array(list(adata.uns["terms"])),
            np.array(adata.varm["annotations"], dtype=float), pruneGenes=False, minGenes=0,
            do_preTrain=False, **kwargs,
        )  # fmt: skip
        fa.train(nIterations=n_iter)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return fa


def test_is_the_package_as_published(adata, fitted):
    fa = by_hand(adata, 15, nHidden=1, nHiddenSparse=2)
    # slalom's order: dense, sparse, annotated; ours: annotated, sparse, dense
    order = [*range(3, 9), 1, 2, 0]
    assert [str(t) for t in fa.terms[:3]] == ["hidden0", "hiddenSparse0", "hiddenSparse1"]
    assert list(fitted.terms_["kind"]) == ["annotated"] * 6 + ["sparse"] * 2 + ["dense"]
    np.testing.assert_array_equal(fitted.membership_, fa.getZ()[:, order])
    np.testing.assert_array_equal(fitted.terms_["relevance"], fa.getRelevance()[order])
    np.testing.assert_array_equal(abs(fitted.loadings_), abs(fa.getX()[:, order]))
    weights = (fa.getW() * fa.getZ())[:, order]
    np.testing.assert_array_equal(abs(fitted.weights_), abs(weights))
    product = fa.getX()[:, order] @ weights.T  # signs are turned in both or in none
    np.testing.assert_allclose(fitted.loadings_.to_numpy() @ fitted.weights_.to_numpy().T, product)


def test_signs_are_oriented(adata, fitted):
    sums = (fitted.weights_.to_numpy()[:, :6] * adata.varm["annotations"]).sum(0)
    assert (sums >= 0).all()


def test_leaves_everything_as_it_was(adata, capsys):
    before, X = np.random.get_state()[1].copy(), adata.X.copy()  # noqa: NPY002
    reseed = np.random.seed
    intae.Slalom(n_dense=0, max_iter=2, seed=5).fit(adata)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert np.random.seed is reseed
    np.testing.assert_array_equal(adata.X, X)
    assert capsys.readouterr().out == ""
    for name in ("log", "dot", "randn", "random"):
        assert not hasattr(scipy, name)
    assert not hasattr(sklearn.decomposition, "RandomizedPCA")


def test_seeds(adata):
    one, again, other = (
        intae.Slalom(n_dense=1, max_iter=3, seed=seed).fit(adata).loadings_ for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, again)
    assert not np.allclose(one, other)


def test_its_own_rule_stops_it(adata):
    model = intae.Slalom(n_dense=0).fit(adata)
    assert model.converged_
    assert 700 < model.n_iter_ < 2000
    assert model.n_iter_ == len(model.history_)
    assert not model.projected_
    assert model.projected_seconds_ == model.seconds_
    assert model.history_["seconds"].is_monotonic_increasing
    assert not intae.Slalom(n_dense=0, max_iter=20).fit(adata).converged_


def test_budget_ends_it_and_projects(adata):
    model = intae.Slalom(n_dense=0, max_iter=50, budget=1e-9)
    full = model.fit(adata).projected_seconds_
    assert model.projected_
    assert model.n_iter_ == 1
    assert not model.converged_
    sweep = model.history_["sweep_seconds"].iloc[0]
    assert full == pytest.approx(model.seconds_ + 49 * sweep)
    model.fit(adata).project(11)
    sweep = model.history_["sweep_seconds"].iloc[0]
    assert model.projected_seconds_ == pytest.approx(model.seconds_ + 10 * sweep)
    model.project(11, [6] + [3] * 10)
    sweep = model.history_["sweep_seconds"].iloc[0]
    assert model.projected_seconds_ == pytest.approx(model.seconds_ + 5 * sweep)


def test_a_budget_that_suffices_projects_nothing(adata):
    model = intae.Slalom(n_dense=0, max_iter=3, budget=1000.0).fit(adata)
    assert not model.projected_
    assert model.n_iter_ == 3


def test_terms_may_have_slaloms_own_names(adata, fitted):
    renamed = adata.copy()
    renamed.uns["terms"] = np.array(
        ["bias", "hidden0", "hiddenSparse1", "hidden", "covariate0", "X"], dtype=object
    )
    model = intae.Slalom(n_dense=1, n_sparse=2, max_iter=15).fit(renamed)
    np.testing.assert_array_equal(model.weights_, fitted.weights_)
    assert list(model.terms_.index[:2]) == ["bias", "hidden0"]


def test_covariates_are_not_terms(adata):
    model = intae.Slalom(n_dense=1, covariates=["batch"], max_iter=3).fit(adata)
    assert list(model.terms_["kind"]) == ["annotated"] * 6 + ["dense"]
    assert list(model.covariate_weights_.columns) == ["batch=batch_2"]
    assert (model.covariate_weights_ != 0).to_numpy().any()


def test_save_and_load(adata, fitted, tmp_path):
    fitted.save(tmp_path / "model.h5")
    loaded = intae.Slalom.load(tmp_path / "model.h5")
    pd.testing.assert_frame_equal(loaded.loadings_, fitted.loadings_)
    np.testing.assert_array_equal(loaded.membership_, fitted.membership_)
    assert loaded.projected_seconds_ == fitted.projected_seconds_


def test_new_cells_are_refused(adata, fitted):
    with pytest.raises(NotImplementedError, match="FSCLVM can"):
        fitted.transform(adata)


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "slalom", None)
    with pytest.raises(ImportError, match=r"slalom==1\.0\.0\.dev11"):
        import_slalom()
    assert not hasattr(scipy, "dot")

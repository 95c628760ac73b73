"""What every model shares, seen on the simplest."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.exceptions import NotFittedError

import intae
from intae.base import FactorModel
from intae.benchmark.registry import MODELS
from intae.benchmark.training import make_model
from intae.errors import IntaeError
from intae.prepared import ContractError, design_matrix
from intae.terms import signs, terms_table


def test_save_and_load(simulated, tmp_path):
    model = intae.PCA(n_dense=4, seed=2).fit(simulated)
    model.save(tmp_path / "model.h5")
    loaded = intae.PCA.load(tmp_path / "model.h5")
    assert loaded.get_params() == model.get_params()
    pd.testing.assert_frame_equal(loaded.loadings_, model.loadings_, check_names=False)
    pd.testing.assert_frame_equal(loaded.transform(simulated), model.transform(simulated))
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]
    (tmp_path / "other").touch()  # others may read a model as they may read any new file
    assert (tmp_path / "model.h5").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_load_refuses_another_file_or_class(simulated, tmp_path):
    (tmp_path / "x.h5").write_text("no HDF5")
    with pytest.raises(IntaeError, match=r"x\.h5: is not a model saved by intae"):
        intae.PCA.load(tmp_path / "x.h5")
    intae.PCA(n_dense=2).fit(simulated).save(tmp_path / "pca.h5")
    with pytest.raises(IntaeError, match="holds a PCA, not a FSCLVM"):
        intae.FSCLVM.load(tmp_path / "pca.h5")


def test_new_cells_are_matched_by_gene(simulated):
    model = intae.PCA(n_dense=4).fit(simulated)
    shuffled = simulated[:50, ::-1].copy()
    np.testing.assert_allclose(model.transform(shuffled), model.loadings_[:50], atol=1e-9)
    with pytest.raises(IntaeError, match=r"2 of the model's 80 genes are not in the data \(GENE1"):
        model.transform(simulated[:, 2:].copy())


def test_new_cells_as_raw_counts_are_refused(simulated):
    model = intae.PCA(n_dense=2).fit(simulated)
    counts = simulated.copy()
    counts.X = np.round(np.abs(counts.X))
    with pytest.raises(IntaeError, match="X holds integers, so these are counts"):
        model.transform(counts)


@pytest.mark.parametrize("name", MODELS)
def test_unfitted_model_says_so(name, simulated, tmp_path):
    model = getattr(intae, name)()
    for use in (
        lambda: model.save(tmp_path / "model.h5"),
        lambda: model.reconstruct(simulated),
        *(lambda a=a: getattr(model, a) for a in ("loadings_", "weights_", "terms_", "history_")),
    ):
        with pytest.raises(NotFittedError, match=rf"{name} is not fitted yet.*; call fit\(adata\)"):
            use()
    if model.infers_new_cells:
        with pytest.raises(NotFittedError, match=r"call fit\(adata\) first"):
            model.transform(simulated)
    assert not hasattr(model, "loadings_") and not hasattr(model, "fitt")
    with pytest.raises(AttributeError, match=f"'{name}' object has no attribute 'fitt'"):
        _ = model.fitt


def test_a_fitted_model_misses_what_it_does_not_have(simulated):
    model = intae.PCA(n_dense=2).fit(simulated)
    with pytest.raises(AttributeError, match="'PCA' object has no attribute 'eps_'"):
        _ = model.eps_


@pytest.mark.parametrize("name", MODELS)
def test_scikit_learns_clone_and_set_params(name):
    model = getattr(intae, name)(seed=3)
    assert isinstance(model, FactorModel) and model.revision >= 1
    copy = clone(model)
    assert copy is not model and copy.get_params(deep=True) == model.get_params(deep=True)
    assert copy.set_params(seed=4).seed == 4 and model.seed == 3
    with pytest.raises(ValueError, match="Invalid parameter 'sed'"):
        copy.set_params(sed=1)


def test_a_fitted_model_is_cloned_unfitted(simulated):
    assert not hasattr(clone(intae.PCA(n_dense=2).fit(simulated)), "weights_")


def test_pca_has_converged_and_depends_on_no_seed():
    data = intae.simulate(700, 510, 60, n_active=5, seed=0)  # scikit-learn would choose at random
    model = intae.PCA().fit(data)
    exact = SklearnPCA(60, svd_solver="full").fit(data.X.astype(float))
    agreement = np.abs((model.weights_.to_numpy() * exact.components_.T).sum(0))
    np.testing.assert_allclose(agreement, 1, atol=1e-6)
    np.testing.assert_allclose(model.terms_["relevance"], exact.explained_variance_, rtol=1e-8)
    other = intae.PCA(seed=1).fit(data)
    pd.testing.assert_frame_equal(other.loadings_, model.loadings_)


def test_pca_of_sparse_data_is_the_same(simulated):
    thin = simulated.copy()
    thin.X = sparse.csr_matrix(thin.X)
    np.testing.assert_allclose(
        intae.PCA().fit(thin).loadings_, intae.PCA().fit(simulated).loadings_, atol=1e-8
    )


@pytest.mark.parametrize("name", MODELS)
def test_values_that_are_not_finite_are_refused(name, simulated):
    broken = simulated.copy()
    broken.X[3, 4] = np.nan
    with pytest.raises(ContractError, match="X: nan at cell"):
        getattr(intae, name)().fit(broken)


@pytest.mark.parametrize("name", ["FSCLVM", "GeneSetScore", "PCA"])
def test_a_fit_checks_its_data_once(name, simulated, monkeypatch):
    model = getattr(intae, name)()
    home = importlib.import_module(type(model).__module__)
    calls = []
    monkeypatch.setattr(home, "check_prepared", lambda adata, **_: calls.append(adata))
    model.fit(simulated)
    assert len(calls) == 1


def test_signs_look_at_annotated_genes_first():
    weights = np.array([[1.0, -1.0, -2.0], [-3.0, 2.0, 1.0]])
    annotations = np.array([[1, 0], [0, 1]])
    np.testing.assert_array_equal(signs(weights, annotations), [1, 1, -1])


def test_terms_table_names_genes_added_and_removed():
    kinds = pd.Series(["annotated", "annotated"], index=pd.Index(["a", "b"], name="term"))
    known = np.array([[1, 1], [1, 0], [0, 0]])
    on = np.array([[True, True], [False, True], [True, True]])
    table = terms_table(
        kinds, known, pd.Index(["x", "y", "z"]), relevance=[2, 1], active=[True, False], on=on
    )
    assert table.loc["a", "genes_added"] == "z"
    assert table.loc["a", "genes_removed"] == "y"
    assert table.loc["b", "genes_added"] == ""  # off: nothing was added
    assert list(table["n_genes"]) == [2, 1]


def test_design_matrix():
    obs = pd.DataFrame({"age": [1.0, 2.0, 3.0], "batch": ["b", "a", "c"]})
    matrix, names, levels = design_matrix(obs, ["age", "batch"])
    assert names == ["age", "batch=b", "batch=c"]
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [2, 0, 0], [3, 0, 1]])
    with pytest.raises(IntaeError, match="category 'd' was not in the training cells"):
        design_matrix(pd.DataFrame({"batch": ["d"]}), ["batch"], levels)
    with pytest.raises(IntaeError, match="covariate 'sex' is not a column of obs"):
        design_matrix(obs, ["sex"])
    with pytest.raises(IntaeError, match="1 missing values"):
        design_matrix(pd.DataFrame({"age": [1.0, np.nan]}), ["age"])


def test_make_model_suggests_the_nearest_parameter():
    with pytest.raises(ValueError, match="no parameter 'n_dens'; did you mean 'n_dense'"):
        make_model("PCA", {"n_dens": 3}, seed=0, threads=1)
    with pytest.raises(ValueError, match="no model 'FScLVM'; did you mean 'FSCLVM'"):
        make_model("FScLVM", {}, seed=0, threads=1)


def test_repr_names_what_is_not_default():
    assert repr(intae.PCA(n_dense=3)) == "PCA(n_dense=3)"


@pytest.mark.parametrize("model", [m for m in MODELS if m != "Slalom" and not MODELS[m].package])
def test_a_model_reconstructs_just_if_it_says_so(simulated, model):
    params = {"epochs": 1} if model == "MaskedAutoencoder" else {}
    fitted = make_model(model, params, seed=0, threads=1).fit(simulated)
    if fitted.reconstructs:
        assert fitted.reconstruct(simulated).shape == simulated.shape
    else:
        with pytest.raises(NotImplementedError, match=f"{model} gives loadings only"):
            fitted.reconstruct(simulated)


def test_public_names_are_not_hidden_by_modules():
    for name in intae.__all__:
        assert callable(getattr(intae, name)), name
        home = intae._HOMES[name]
        assert home != name, f"module intae.{home} would hide intae.{name}"


def test_slaloms_path_is_known_beforehand(simulated):
    from intae.benchmark.training import slalom_path

    whole = intae.Slalom(n_dense=1, max_iter=15, threads=1).fit(simulated)
    path = slalom_path(simulated, intae.Slalom(n_dense=1, max_iter=15, budget=0.01, threads=1))
    assert path["expected_iter"] == whole.n_iter_
    assert path["expected_active"] == whole.history_["n_active"].tolist()
    assert slalom_path(simulated, intae.Slalom(max_iter=15)) == {}
    assert slalom_path(simulated, intae.PCA()) == {}

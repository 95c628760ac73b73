"""What every model shares, seen on the simplest."""

import importlib
import json

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
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


def damaged(simulated, path, part):
    intae.PCA(n_dense=2).fit(simulated).save(path)
    with h5py.File(path, "a") as file:
        about = json.loads(file.attrs["intae"])
        assert about["version"] == intae.__version__ and about["format"] == 1
        if part == "format":
            about |= {"format": 2, "version": "9.0"}
        elif part == "argument":
            about["params"]["n_factors"] = 3
        elif part in about:
            del about[part]
        else:
            del file["state"][part]
        file.attrs["intae"] = json.dumps(about) if part != "json" else "{"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("format", r"was saved by intae 9\.0 \(format 2\), which is newer .*update intae"),
        ("argument", "its PCA has other arguments .*n_factors.*fit it again"),
        ("weights", "lacks 'weights'; it is damaged"),
        ("attributes/mean_", "lacks 'mean_'; it is damaged"),
        ("seconds", r"lacks 'seconds'; .*fit the model again"),
    ],
)
def test_a_model_file_that_is_damaged_or_newer_is_told_of(simulated, tmp_path, part, message):
    damaged(simulated, tmp_path / "model.h5", part)
    for load in (intae.PCA.load, intae.load):
        with pytest.raises(IntaeError, match=rf"model\.h5: {message}"):
            load(tmp_path / "model.h5")


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n].infers_new_cells])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_new_cells_with_broken_values_are_refused(simulated, name, value):
    if MODELS[name].package:
        pytest.importorskip(MODELS[name].package)
    params = {"epochs": 1} if "epochs" in MODELS[name].parameters else {}
    model = make_model(name, params, seed=0, threads=1).fit(simulated)
    new = simulated[:20].copy()
    new.X[3, 4] = value
    for cells in (new, new[:, ::-1].copy(), AnnData(sparse.csr_matrix(new.X), new.obs, new.var)):
        with pytest.raises(ContractError, match=f"X: {value} at cell 'cell_4', gene 'GENE5'"):
            model.transform(cells)


def test_new_cells_with_doubled_genes_are_read_by_the_first(simulated):
    model = intae.PCA(n_dense=4).fit(simulated)
    twice = AnnData(
        np.hstack([simulated.X, simulated.X[:, :5] * 2]), obs=simulated.obs,
        var=pd.DataFrame(index=[*simulated.var_names, *simulated.var_names[:5]]),
    )  # fmt: skip
    np.testing.assert_allclose(model.transform(twice), model.loadings_, atol=1e-9)


@pytest.mark.parametrize("name", ["Autoencoder", "FSCLVM", "PCA", "PLIER", "MaskedAutoencoder"])
def test_cells_that_are_all_equal_are_refused(simulated, name):
    flat = simulated.copy()
    flat.X[:] = flat.X[0]
    with pytest.raises(ContractError, match="X: all cells are equal, so no gene varies"):
        getattr(intae, name)().fit(flat)


def test_new_cells_are_matched_by_gene(simulated):
    model = intae.PCA(n_dense=4).fit(simulated)
    shuffled = simulated[:50, ::-1].copy()
    np.testing.assert_allclose(model.transform(shuffled), model.loadings_[:50], atol=1e-9)
    with pytest.raises(IntaeError, match=r"2 of the model's 80 genes are not in the data \(GENE1"):
        model.transform(simulated[:, 2:].copy())
    for none in (simulated[:0], shuffled[:0]):
        with pytest.raises(IntaeError, match="the data hold no cells"):
            model.transform(none.copy())


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


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Autoencoder", {"lambda1": "abc"}, "lambda1 must be a finite number .*, not 'abc'"),
        ("Autoencoder", {"threads": 1.5}, "threads must be an integer of at least 1, not 1.5"),
        ("Autoencoder", {"seed": -1}, "seed must be an integer of at least 0, not -1"),
        ("FSCLVM", {"n_dense": 1.5}, "n_dense must be an integer of at least 0, not 1.5"),
        ("GeneSetScore", {"method": 3}, "method must be one of score_genes, .*, not 3"),
        ("MaskedAutoencoder", {"inside": "a"}, r"inside must be a number in \[0, 1\], not 'a'"),
        ("PCA", {"n_dense": 0}, "n_dense must be an integer of at least 1, not 0"),
        ("PLIER", {"l1": "a"}, "l1 must be a finite number above 0, not 'a'"),
        ("Slalom", {"n_sparse": None}, "n_sparse must be an integer of at least 0, not None"),
        ("Autoencoder", {"n_dense": 81}, r"n_dense=81: more .* than the data have genes \(80\)"),
        ("FSCLVM", {"n_dense": 50, "n_sparse": 31}, "n_dense=50 and n_sparse=31: more"),
        ("PCA", {"n_dense": 81}, "n_dense=81: more"),
        ("PLIER", {"n_factors": 81}, "n_factors=81: more"),
        ("Slalom", {"n_dense": 81}, "n_dense=81: more"),
    ],
)
def test_arguments_that_make_no_sense_are_named(simulated, name, params, message):
    with pytest.raises(IntaeError, match=message):
        getattr(intae, name)(**params).fit(simulated)


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
    for name in set(intae.__all__) - {"pl", "tl"}:
        assert callable(getattr(intae, name)), name
        home = intae._HOMES[name]
        assert home != name, f"module intae.{home} would hide intae.{name}"


def test_slaloms_time_is_projected_along_the_path_of_the_exact_engine(simulated):
    from intae.benchmark.training import project

    arguments = {"n_dense": 1, "max_iter": 15, "threads": 1}
    whole = intae.Slalom(**arguments).fit(simulated)
    stopped = intae.Slalom(**arguments, budget=0.01).fit(simulated)
    project(simulated, stopped)
    projected = stopped.projected_seconds_
    assert projected == stopped.project(whole.n_iter_, whole.history_["n_active"].tolist())
    project(simulated, whole)
    assert whole.projected_seconds_ == whole.seconds_

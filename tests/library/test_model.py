"""What every model shares, seen on the simplest."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import intae
from intae.benchmark.registry import MODELS, make_model
from intae.benchmark.signatures import ability_of
from intae.prepared import design_matrix
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
    with pytest.raises(ValueError, match=r"x\.h5: is not a model saved by intae"):
        intae.PCA.load(tmp_path / "x.h5")
    intae.PCA(n_dense=2).fit(simulated).save(tmp_path / "pca.h5")
    with pytest.raises(ValueError, match="holds a PCA, not a FSCLVM"):
        intae.FSCLVM.load(tmp_path / "pca.h5")


def test_new_cells_are_matched_by_gene(simulated):
    model = intae.PCA(n_dense=4).fit(simulated)
    shuffled = simulated[:50, ::-1].copy()
    np.testing.assert_allclose(model.transform(shuffled), model.loadings_[:50], atol=1e-9)
    with pytest.raises(ValueError, match=r"2 of the model's 80 genes are not in the data \(GENE1"):
        model.transform(simulated[:, 2:].copy())


def test_new_cells_as_raw_counts_are_refused(simulated):
    model = intae.PCA(n_dense=2).fit(simulated)
    counts = simulated.copy()
    counts.X = np.round(np.abs(counts.X))
    with pytest.raises(ValueError, match="X holds integers, so these are counts"):
        model.transform(counts)


def test_unfitted_model_says_so(tmp_path):
    with pytest.raises(NotFittedError, match=r"call fit\(adata\) first"):
        intae.PCA().save(tmp_path / "model.h5")


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
    with pytest.raises(ValueError, match="category 'd' was not in the training cells"):
        design_matrix(pd.DataFrame({"batch": ["d"]}), ["batch"], levels)
    with pytest.raises(ValueError, match="covariate 'sex' is not a column of obs"):
        design_matrix(obs, ["sex"])
    with pytest.raises(ValueError, match="1 missing values"):
        design_matrix(pd.DataFrame({"age": [1.0, np.nan]}), ["age"])


def test_make_model_suggests_the_nearest_parameter():
    with pytest.raises(ValueError, match="no parameter 'n_dens'; did you mean 'n_dense'"):
        make_model("PCA", {"n_dens": 3}, seed=0, threads=1)
    with pytest.raises(ValueError, match="no model 'FScLVM'; did you mean 'FSCLVM'"):
        make_model("FScLVM", {}, seed=0, threads=1)


def test_repr_names_what_is_not_default():
    assert repr(intae.PCA(n_dense=3)) == "PCA(n_dense=3)"


@pytest.mark.parametrize("ability", ["knows_gene_sets", "infers_new_cells", "reconstructs"])
@pytest.mark.parametrize("model", MODELS)
def test_abilities_read_from_the_source_are_those_of_the_class(model, ability):
    assert ability_of(model, ability) is getattr(getattr(intae, model), ability)


def test_unknown_abilities_are_refused():
    with pytest.raises(ValueError, match="no class 'Pca'"):
        ability_of("Pca", "reconstructs")
    with pytest.raises(ValueError, match="PCA does not say whether it flies"):
        ability_of("PCA", "flies")


@pytest.mark.parametrize("model", [m for m in MODELS if m != "Slalom"])
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
    from intae.benchmark.registry import slalom_path

    whole = intae.Slalom(n_dense=1, max_iter=15, threads=1).fit(simulated)
    path = slalom_path(simulated, intae.Slalom(n_dense=1, max_iter=15, budget=0.01, threads=1))
    assert path["expected_iter"] == whole.n_iter_
    assert path["expected_active"] == whole.history_["n_active"].tolist()
    assert slalom_path(simulated, intae.Slalom(max_iter=15)) == {}
    assert slalom_path(simulated, intae.PCA()) == {}

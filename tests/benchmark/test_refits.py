"""What is fitted again: halves, folds, parts of the cells, points of a sweep."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

import intae
from intae.benchmark.refits import (
    SWEEP_COLUMNS,
    between_halves,
    fit_point,
    half_masks,
    parameters_used,
    read_part,
    sweep_row,
    training_cells,
    unseen_cells,
)
from intae.io import write_h5ad
from intae.prepared import check_prepared

# ------------------------------------------------------------------------- halves


@pytest.mark.parametrize("donors", [False, True])
def test_stability_between_halves(donors):
    simulated = intae.simulate(n_cells=1500, n_genes=80, n_terms=8, n_active=3, n_dense=1, seed=1)
    table = between_halves(simulated, lambda: intae.PCA(n_dense=3), 3, donors=donors)
    assert set(table["kind"]) == {"donors" if donors else "halves"}
    table = table.set_index("term")["r"]
    assert table["(Jaccard index of active terms)"] == 1
    assert table["dense_1"] > 0.95  # the strongest component of two halves is the same
    assert table["(shared of the 10 most relevant)"] == 3


def test_halves_are_halves_and_donors_stay_whole(simulated):
    rng = np.random.default_rng(0)
    for mask in half_masks(simulated, 4, False, rng):
        assert mask.sum() == simulated.n_obs // 2
    masks = list(half_masks(simulated, 100, True, rng))
    assert len(masks) == 10  # of 6 donors, 20 halves, each split counted once
    for mask in masks:
        donors = simulated.obs["donor"].astype(str)
        assert set(donors[mask]).isdisjoint(donors[~mask])


# -------------------------------------------------------------------------- folds


def dense(adata):
    X = adata.X
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)


@pytest.fixture(scope="module")
def cells():
    return intae.simulate(n_cells=240, n_genes=60, n_terms=6, n_active=3, n_dense=1, seed=3)


def test_pca_of_unseen_donors_is_that_of_sklearn(cells):
    found = unseen_cells(cells, lambda: intae.PCA(n_dense=3, threads=1), 3)
    Y, condition = dense(cells), cells.obs["condition"].astype(str).to_numpy()
    donor = cells.obs["donor"].astype(str).to_numpy()
    guesses, right, pairs, explained = np.empty(240, object), 0, 0, []
    for train, test in StratifiedGroupKFold(3).split(Y, condition, donor):
        assert set(donor[train]).isdisjoint(donor[test])
        pca = SklearnPCA(3, random_state=0).fit(Y[train])
        z, unseen = pca.transform(Y[train]), pca.transform(Y[test])
        # the regression knows nothing of the unseen cells, not even their mean
        scale = z.std(0)
        mine = LogisticRegression().fit(z[:, [0]] / scale[0], condition[train])
        guesses[test] = mine.predict(unseen[:, [0]] / scale[0])
        chance = mine.predict_proba(unseen[:, [0]] / scale[0])[:, 1]
        second = condition[test] == mine.classes_[1]
        right += roc_auc_score(second, chance) * second.sum() * (~second).sum()
        pairs += second.sum() * (~second).sum()
        for rows in (train, test):
            left = Y[rows] - pca.inverse_transform(pca.transform(Y[rows]))
            total = Y[rows] - Y[train].mean(0)
            explained.append(1 - (left**2).sum() / (total**2).sum())
    first = found.accuracy.set_index("term").loc["dense_1"]
    assert first["split"] == "unseen"
    names = ["accuracy", "balanced_accuracy", "auroc"]
    scores = (
        (guesses == condition).mean(),
        balanced_accuracy_score(condition, list(guesses)),
        right / pairs,
    )
    np.testing.assert_allclose(first[names].astype(float), scores, atol=2e-3)
    table = found.reconstruction
    np.testing.assert_allclose(table["variance_explained"], explained, atol=1e-5)
    assert list(table["split"]) == ["train", "unseen"] * 3
    assert (table[table["split"] == "unseen"]["n_cells"].sum()) == 240
    assert (found.choice["n_train"] + found.choice["n_unseen"] == 240).all()


class Memory(intae.PCA):
    """A model that knows by heart the condition of cells that it was fitted to, and no other."""

    def fit(self, adata):
        super().fit(adata)
        self.known_ = dict(zip(adata.obs_names, adata.obs["condition"].astype(str), strict=True))
        return self

    def transform(self, adata):
        z = super().transform(adata)
        known = [self.known_.get(cell) for cell in adata.obs_names]
        first = sorted(set(self.known_.values()))[0]
        z.iloc[:, 0] = [0.0 if k is None else (1.0 if k == first else -1.0) for k in known]
        return z


def test_what_was_learned_by_heart_does_not_count(cells):
    shuffled = cells.copy()
    rng = np.random.default_rng(0)
    shuffled.obs["condition"] = rng.permutation(shuffled.obs["condition"].astype(str))
    found = unseen_cells(shuffled, lambda: Memory(n_dense=2, threads=1), 3)
    assert (found.choice["term"] == "dense_1").all()
    np.testing.assert_allclose(found.choice["train_accuracy"], 1)
    assert (found.choice["accuracy"] < 0.7).all()
    assert found.accuracy.set_index("term").loc["dense_1", "auroc"] == pytest.approx(0.5)


class Noisy(intae.Autoencoder):
    """An autoencoder whose unnamed and switched-off terms know the condition."""

    def transform(self, adata):
        z = super().transform(adata)
        condition = (adata.obs["condition"] == adata.obs["condition"].iloc[0]).to_numpy(float)
        spoilt = ~self.terms_["active"] | (self.terms_["kind"] == "dense")
        z.loc[:, spoilt.to_numpy()] = condition[:, None]
        return z


def test_what_is_off_is_guessing_and_what_has_no_name_is_not_chosen(cells):
    found = unseen_cells(cells, lambda: Noisy(n_dense=1, readout="encoder", threads=1), 3)
    assert not found.choice["term"].str.startswith("dense").any()
    auroc = found.accuracy.query("split == 'unseen'").set_index("term")["auroc"]
    assert auroc["dense_1"] == 1  # scored, though
    model = Noisy(n_dense=1, readout="encoder", threads=1).fit(cells)
    off = model.terms_.index[~model.terms_["active"]]
    assert len(off) and auroc[off].max() < 0.95


class OtherName(intae.Autoencoder):
    """An autoencoder that knows the condition under one name in one fit, another in the next."""

    names = 0

    def fit(self, adata):
        super().fit(adata)
        names = list(self.weights_.columns[:2])
        self.terms_["active"], self.terms_["family"] = False, self.weights_.columns
        self.on = names[OtherName.names % 2]
        OtherName.names += 1
        self.terms_.loc[self.on, "active"] = True
        self.terms_.loc[names, "family"] = self.on
        return self

    def transform(self, adata):
        z = super().transform(adata) * 0
        z[self.on] = (adata.obs["condition"] == "stimulated").to_numpy(float)
        return z


def test_a_family_that_goes_by_another_name_in_each_fold_separates_unseen_cells(cells):
    table = unseen_cells(cells, lambda: OtherName(n_dense=0, threads=1), 3).accuracy
    accuracy = table.set_index(["split", "term"])["accuracy"]
    first, second, other = cells.uns["terms"][:3]
    assert accuracy["unseen"][[first, second]].max() < 0.9
    assert (accuracy["unseen_family"][[first, second]] == 1).all()
    assert accuracy["unseen_family", other] == accuracy["unseen", other]


def test_halves_by_family(cells):
    table = between_halves(cells, lambda: OtherName(n_dense=0, threads=1), 2, donors=True)
    r = table.set_index("term")["r"]
    assert r["(Jaccard index of active terms)"] == 0
    assert r["(Jaccard index, families of all cells)"] == 1
    plain = between_halves(cells, lambda: intae.PCA(n_dense=2), 1, donors=False)
    assert not plain["term"].str.contains("famil").any()


def test_the_choice_is_made_on_training_cells_among_active_terms(cells):
    found = unseen_cells(cells, lambda: intae.Autoencoder(threads=1), 2)
    assert list(found.choice["fold"]) == [1, 2]
    assert found.reconstruction["n_terms_active"].max() < 6  # some term is off, not chosen
    table = found.reconstruction.set_index("split")["variance_explained"]
    assert (table < 1).all() and (table > 0).all()


def test_scores_reconstruct_nothing(cells):
    found = unseen_cells(cells, lambda: intae.GeneSetScore(threads=1), 2)
    assert found.reconstruction.empty and len(found.accuracy) == 6


class Unfinished(intae.PCA):
    """A model whose decoder lacks something."""

    def reconstruct(self, adata):
        raise NotImplementedError("a part of the decoder")


def test_an_error_of_a_decoder_is_not_taken_for_plain_scores(cells):
    with pytest.raises(NotImplementedError, match="a part of the decoder"):
        unseen_cells(cells, lambda: Unfinished(n_dense=2, threads=1), 2)
    train = np.arange(cells.n_obs) < 200
    model = Unfinished(n_dense=2, threads=1).fit(cells[train].copy())
    with pytest.raises(NotImplementedError, match="a part of the decoder"):
        sweep_row(model, model, cells, train)


def test_cells_without_labels_are_reconstructed_only(cells):
    bare = cells.copy()
    bare.obs = pd.DataFrame(index=bare.obs_names)
    found = unseen_cells(bare, lambda: intae.PCA(n_dense=2, threads=1), 4)
    assert found.accuracy.empty and found.choice.empty
    table = found.reconstruction
    assert list(table.loc[table["split"] == "unseen", "n_cells"]) == [60] * 4


# -------------------------------------------------------------------------- parts


@pytest.fixture(params=["dense", "sparse"])
def file(request, simulated, tmp_path):
    adata = simulated.copy()
    if request.param == "sparse":
        adata.X = sparse.csr_matrix(np.where(adata.X > 0, adata.X, 0).astype(np.float32))
    write_h5ad(adata, tmp_path / "prepared.h5ad")
    return adata, tmp_path / "prepared.h5ad"


def test_a_part_is_what_it_says(file, monkeypatch):
    monkeypatch.setattr("intae.benchmark.refits.BLOCK", 64)  # several blocks
    whole, path = file
    part = read_part(path, 50, seed=3)
    check_prepared(part)
    assert part.n_obs == 50 and part.obs_names.is_unique
    same = whole[part.obs_names]
    assert (part.obs.astype(str) == same.obs.astype(str)).all(axis=None)
    if sparse.issparse(whole.X):
        assert sparse.issparse(part.X)
        assert (part.X != same.X).nnz == 0
    else:
        np.testing.assert_array_equal(part.X, same.X)
    np.testing.assert_array_equal(part.varm["annotations"], whole.varm["annotations"])
    assert list(part.uns["terms"]) == list(whole.uns["terms"])


def test_parts_are_nested_and_another_seed_draws_others(file):
    _, path = file
    small, large, other = read_part(path, 20, 0), read_part(path, 60, 0), read_part(path, 20, 1)
    assert set(small.obs_names) < set(large.obs_names)
    assert set(small.obs_names) != set(other.obs_names)


@pytest.mark.parametrize("n_cells", [200, 5000])
def test_no_part_is_the_whole(file, n_cells, caplog):
    with caplog.at_level("INFO"):
        assert read_part(file[1], n_cells, 0) is None
    assert f"has 200 cells: no part of {n_cells} is drawn" in caplog.text


def test_the_pass_over_a_file_holds_no_more_than_a_block(simulated, tmp_path, monkeypatch):
    """Only then is the peak of memory that of a part."""
    write_h5ad(simulated, tmp_path / "prepared.h5ad")
    monkeypatch.setattr("intae.benchmark.refits.BLOCK", 50)
    seen = []
    vstack = np.vstack
    monkeypatch.setattr(np, "vstack", lambda blocks: seen.extend(blocks) or vstack(blocks))
    part = read_part(tmp_path / "prepared.h5ad", 30, 0)
    assert len(seen) == 4 and sum(map(len, seen)) == part.n_obs == 30
    assert intae.PCA().fit(part).loadings_.shape[0] == 30


# ------------------------------------------------------------------------- sweeps


def test_training_cells(simulated):
    mask = training_cells(simulated, "cells", 0)
    assert mask.sum() == 150
    np.testing.assert_array_equal(mask, training_cells(simulated, "cells", 0))
    assert (mask != training_cells(simulated, "cells", 1)).any()
    adata = simulated.copy()
    adata.obs["donor"] = np.arange(200) % 8
    mask = training_cells(adata, "donors", 0)
    inside, outside = (set(adata.obs["donor"][part]) for part in (mask, ~mask))
    assert len(outside) == 2 and not inside & outside
    adata.obs["donor"] = "one"
    with pytest.raises(ValueError, match="has one value only"):
        training_cells(adata, "donors", 0)


@pytest.mark.parametrize("kind", ["Autoencoder", "FSCLVM", "PCA"])
def test_variance_explained_is_that_of_the_reconstruction(simulated, kind):
    mask = training_cells(simulated, "cells", 0)
    model = getattr(intae, kind)(n_dense=2).fit(simulated[mask].copy())
    row = sweep_row(model, model, simulated, mask)
    Y = np.asarray(simulated.X, float)
    mean = Y[mask].mean(0)
    made = mean + model.encode(simulated).to_numpy() @ model.weights_.to_numpy().T
    for part, name in ((mask, "variance_explained"), (~mask, "variance_explained_held_out")):
        left, total = ((Y - made)[part] ** 2).sum(), ((Y - mean)[part] ** 2).sum()
        assert row[name] == pytest.approx(1 - left / total, rel=1e-4)
        assert 0 < row[name] < 1


def test_scores_explain_no_variance(simulated):
    mask = training_cells(simulated, "cells", 0)
    model = intae.GeneSetScore().fit(simulated[mask].copy())
    row = sweep_row(model, model, simulated, mask)
    assert np.isnan(row["variance_explained_held_out"]) and row["median_r"] == pytest.approx(1)


def test_a_row_of_a_sweep(simulated):
    mask = training_cells(simulated, "cells", 0)
    part = simulated[mask].copy()
    default = fit_point(part, "Autoencoder", {}, {}, seed=0, threads=1)
    row = sweep_row(default, default, simulated, mask)
    assert tuple(row) == SWEEP_COLUMNS
    assert (row["median_r"], row["jaccard"]) == (pytest.approx(1), 1)
    assert row["n_active"] == default.terms_["active"].sum()
    assert row["objective"] == default.history_["objective"].iloc[-1]
    assert row["best_term"] in default.terms_.index and row["best_accuracy_held_out"] > 0.4

    nothing = fit_point(part, "Autoencoder", {}, {"fraction3": 1.1}, seed=0, threads=1)
    row = sweep_row(nothing, default, simulated, mask)
    assert (row["n_active"], row["jaccard"], row["best_term"]) == (0, 0, "")
    assert np.isnan(row["median_r"])
    assert row["variance_explained_held_out"] == pytest.approx(0, abs=1e-6)

    assert np.isnan(sweep_row(nothing, nothing, simulated, mask)["jaccard"])  # 0 of 0

    unlabelled = simulated.copy()
    del unlabelled.obs["condition"]
    assert np.isnan(sweep_row(default, default, unlabelled, mask)["best_accuracy"])


def test_parameters_used_are_the_points_or_the_models(simulated):
    model = fit_point(simulated, "Autoencoder", {}, {"fraction3": 0.3}, seed=0, threads=1)
    used = parameters_used(model, {"fraction3": 0.3}, ["fraction3", "weighting"])
    assert list(used) == ["fraction3", "weighting", "lambda1", "lambda3", "fraction1"]
    assert used["fraction3"] == 0.3 and used["weighting"] == "sqrt-size"
    assert used["lambda3"] == pytest.approx(0.3 * model.lambdas_["lambda3_max"])
    assert used["fraction1"] * model.lambdas_["lambda1_max"] == pytest.approx(used["lambda1"])
    pca = fit_point(simulated, "PCA", {"n_dense": 2}, {"n_dense": 3}, seed=0, threads=1)
    assert pca.loadings_.shape[1] == 3
    assert parameters_used(pca, {"n_dense": 3}, ["n_dense"]) == {"n_dense": 3}

"""Cells that a fit never saw, against computations of their own."""

import numpy as np
import pandas as pd
import pytest
from fits import make_fit
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GroupKFold

import intae
from intae.metrics.agreement import seed_correlations
from intae.metrics.separation import folds
from intae.metrics.sweep import sweep_row
from intae.metrics.variance import unseen_cells, variance_explained


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
    scores, explained = [], []
    for train, test in GroupKFold(3).split(Y, condition, donor):
        assert set(donor[train]).isdisjoint(donor[test])
        pca = SklearnPCA(3, random_state=0).fit(Y[train])
        z, unseen = pca.transform(Y[train]), pca.transform(Y[test])
        # the regression knows nothing of the unseen cells, not even their mean
        scale = z.std(0)
        mine = LogisticRegression().fit(z[:, [0]] / scale[0], condition[train])
        guess = mine.predict(unseen[:, [0]] / scale[0])
        chance = mine.predict_proba(unseen[:, [0]] / scale[0])[:, 1]
        truth = condition[test]
        scores.append(
            (
                (guess == truth).mean(),
                balanced_accuracy_score(truth, guess),
                roc_auc_score(truth == mine.classes_[1], chance),
            )
        )
        for rows in (train, test):
            left = Y[rows] - pca.inverse_transform(pca.transform(Y[rows]))
            total = Y[rows] - Y[train].mean(0)
            explained.append(1 - (left**2).sum() / (total**2).sum())
    first = found.accuracy.set_index("term").loc["dense_1"]
    assert first["split"] == "unseen"
    names = ["accuracy", "balanced_accuracy", "auroc"]
    np.testing.assert_allclose(first[names].astype(float), np.mean(scores, axis=0), atol=2e-3)
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
    found = unseen_cells(cells, lambda: Noisy(n_dense=1, threads=1), 3)
    assert not found.choice["term"].str.startswith("dense").any()
    auroc = found.accuracy.set_index("term")["auroc"]
    assert auroc["dense_1"] == 1  # scored, though
    model = Noisy(n_dense=1, threads=1).fit(cells)
    off = model.terms_.index[~model.terms_["active"]]
    assert len(off) and auroc[off].max() < 0.95


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


def test_folds_are_whole_donors_and_never_of_one_class():
    codes, donor = np.array([0, 0, 1, 1] * 6), pd.Series(list("abcdef") * 4)
    found = list(folds(codes, donor, 3))
    assert len(found) == 3
    for train, test in found:
        assert set(donor[train]).isdisjoint(donor[test])
    assert len(list(folds(codes, pd.Series(["a", "b"] * 12), 5))) == 2  # two donors, two folds
    # without the one donor of class 1 there is nothing to learn
    alone = pd.Series(np.where(codes == 1, "x", np.where(np.arange(24) % 2, "y", "z")))
    assert all(len(set(codes[train])) == 2 for train, _ in folds(codes, alone, 3))


def test_variance_explained_is_zero_at_the_training_mean(cells):
    train, test = np.arange(200), np.arange(200, 240)
    model = intae.PCA(n_dense=2, threads=1).fit(cells[train].copy())
    model.weights_ *= 0
    assert variance_explained(model, cells, test, train) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("compat", [None, "slalom"])
def test_fsclvm_reconstructs_with_its_covariates(cells, compat, tmp_path):
    model = intae.FSCLVM(n_dense=1, covariates=["batch"], compat=compat, max_iter=30, threads=1)
    model.fit(cells)
    made = model.reconstruct(cells)
    batches = pd.get_dummies(cells.obs["batch"]).to_numpy(float)[:, 1:]
    if compat is None:
        batches = batches - batches.mean(0)
    by_hand = dense(cells).mean(0) + model.transform(cells).to_numpy() @ model.weights_.to_numpy().T
    by_hand += batches @ model.covariate_weights_.to_numpy().T
    np.testing.assert_allclose(made, by_hand, atol=1e-5)
    assert np.abs(batches @ model.covariate_weights_.to_numpy().T).max() > 1e-3
    model.save(tmp_path / "model.h5")
    np.testing.assert_allclose(intae.FSCLVM.load(tmp_path / "model.h5").reconstruct(cells), made)


def test_scores_say_that_they_do_not_reconstruct(cells):
    with pytest.raises(NotImplementedError, match="GeneSetScore gives loadings only"):
        intae.GeneSetScore(threads=1).fit(cells).reconstruct(cells)


def test_correlations_of_every_pair_of_seeds():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3, 20, 2))
    w = rng.normal(size=(6, 2))
    fits = [
        make_fit(z[0], w, [1, 2], method="a", seed=0),
        make_fit(z[1], w, [1, 2], method="a", seed=1, active=[True, False]),
        make_fit(z[2], w, [1, 2], method="b", seed=7),
    ]
    everything = seed_correlations(fits)
    itself = everything[everything["method_b"] == "a"]  # two seeds of one method
    assert list(itself["seed_a"]) == [0, 0] and list(itself["seed_b"]) == [1, 1]
    np.testing.assert_allclose(itself["r"], [np.corrcoef(z[0][:, 0], z[1][:, 0])[0, 1], np.nan])
    table = everything[everything["method_b"] == "b"]
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == [(0, 7)] * 2 + [(1, 7)] * 2
    r = [np.corrcoef(z[i][:, k], z[2][:, k])[0, 1] for i in (0, 1) for k in (0, 1)]
    np.testing.assert_allclose(table["r"], [*r[:3], np.nan])
    assert seed_correlations(fits[:1]).empty

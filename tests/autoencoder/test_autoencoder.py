"""The autoencoder with each of its solvers, and what users lean on."""

import pickle

import anndata
import h5py
import numpy as np
import pytest
import torch
from autoencoders import SOLVERS, model
from conftest import mirror_file
from scipy import sparse

import intae
from intae import Autoencoder
from intae.autoencoder.objective import best_encoder, data_term
from intae.errors import ContractError

pytestmark = pytest.mark.usefixtures("one_thread")


# ------------------------------------------------------------- all the solvers


@pytest.mark.parametrize("solver", SOLVERS)
def test_shapes_signs_and_gap(fits, cells, solver):
    m = fits[solver]
    assert m.loadings_.shape == (250, 10)
    assert m.weights_.shape == (60, 10)
    assert list(m.terms_["kind"]) == ["annotated"] * 8 + ["sparse", "dense"]
    assert m.loadings_.index.equals(cells.obs_names)
    sums = (m.weights_.to_numpy()[:, :8] * cells.varm["annotations"]).sum(0)
    assert (sums >= 0).all()
    assert (m.weights_.to_numpy()[:, 8:].sum(0) >= 0).all()
    assert m.gap_ >= -1e-6 * m.history_["F"].iloc[-1]
    assert (m.gap_ > 1) == (solver != "exact")  # two epochs do not make a best encoder
    assert np.allclose(m.terms_["relevance"], np.linalg.norm(m.weights_, axis=0))


@pytest.mark.parametrize("solver", SOLVERS)
def test_terms_table_names_genes(fits, cells, solver):
    m = fits[solver]
    term = m.terms_.index[m.terms_["active"]][0]
    k = m.terms_.index.get_loc(term)
    on, known = m.weights_[term].to_numpy() != 0, cells.varm["annotations"][:, k] > 0
    assert m.terms_.loc[term, "genes_added"].split() == list(cells.var_names[on & ~known])
    assert m.terms_.loc[term, "genes_removed"].split() == list(cells.var_names[~on & known])


@pytest.mark.parametrize("solver", SOLVERS)
def test_same_history_columns(fits, solver):
    assert list(fits[solver].history_.columns) == list(fits["exact"].history_.columns)
    assert fits[solver].history_["seconds"].is_monotonic_increasing


@pytest.mark.parametrize("solver", SOLVERS)
def test_save_and_load(fits, cells, solver, tmp_path):
    fits[solver].save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5")
    assert np.array_equal(back.weights_, fits[solver].weights_)
    assert np.allclose(back.transform(cells), fits[solver].loadings_, atol=1e-5)
    assert back.lambdas_ == fits[solver].lambdas_
    assert back.gap_ == fits[solver].gap_
    assert list(tmp_path.iterdir()) == [tmp_path / "model.h5"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_dense_and_backed_agree(cells, solver, tmp_path):
    dense = cells.copy()
    dense.X = np.where(dense.X > 2, dense.X, 0).astype(np.float32)
    thin = dense.copy()
    thin.X = sparse.csr_matrix(dense.X)
    one = model(solver).fit(dense)
    versions = [thin]
    for name, data in (("dense", dense), ("thin", thin)):
        data.write_h5ad(tmp_path / f"{name}.h5ad")
        versions.append(anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r"))
    for data in versions:
        other = model(solver).fit(data)
        assert np.allclose(one.weights_, other.weights_, atol=1e-5)
        assert np.allclose(one.loadings_, other.loadings_, atol=1e-4)
        assert np.allclose(one.transform(data[:50]), other.loadings_[:50], atol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_new_cells_are_matched_by_gene_name(fits, cells, solver):
    m = fits[solver]
    shuffled = cells[:40, np.random.default_rng(0).permutation(60)].copy()
    assert np.allclose(m.transform(shuffled), m.loadings_[:40], atol=1e-5)
    with pytest.raises(ValueError, match="2 of the model's 60 genes"):
        m.transform(cells[:, 2:].copy())


@pytest.mark.parametrize("solver", ["adam", "proximal"])
def test_the_seed_decides_everything(cells, solver):
    torch.manual_seed(99)
    state = torch.get_rng_state()
    first = model(solver, epochs=1, seed=4).fit(cells)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    again, other = (model(solver, epochs=1, seed=s).fit(cells) for s in (4, 5))
    assert np.array_equal(first.weights_, again.weights_)
    assert np.array_equal(first.loadings_, again.loadings_)
    assert not np.allclose(first.loadings_, other.loadings_)


def test_exact_draws_nothing(cells):
    assert np.array_equal(model(seed=1).fit(cells).weights_, model(seed=2).fit(cells).weights_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_covariates_act_additively(cells, solver):
    data = cells.copy()
    data.obs["depth"] = np.random.default_rng(0).normal(10, 3, data.n_obs)
    shift = np.random.default_rng(1).normal(size=60)
    second = (data.obs["batch"] == "batch_2").to_numpy()
    data.X = (data.X + 3 * second[:, None] * shift + 0.1 * data.obs[["depth"]].to_numpy()).astype(
        np.float32
    )
    m = model(solver, covariates=["batch", "depth"]).fit(data)
    assert m.gap_ >= -1e-6 * m.history_["F"].iloc[-1]
    assert np.corrcoef(m.effects_[:, 0], 3 * shift)[0, 1] > 0.9
    if solver == "exact":  # the batch is gone from the loadings
        Z = m.loadings_.to_numpy()[:, m.terms_["active"]]
        assert abs(Z[second].mean(0) - Z[~second].mean(0)).max() < 1e-6
        with pytest.raises(ValueError, match="not in the training cells"):
            new = data[:5].copy()
            new.obs["batch"] = "batch_9"
            m.transform(new)
    else:  # equation 2 to the letter: f sees Y alone, and the covariates are added
        flipped = data.copy()
        flipped.obs["batch"] = np.where(second, "batch_1", "batch_2")
        change = (m.reconstruct(flipped) - m.reconstruct(data)).to_numpy()
        assert np.allclose(change, np.where(second, -1, 1)[:, None] * m.effects_[:, 0])


def test_covariates_are_the_least_squares_of_the_whole(cells):
    """With covariates, F* equals equation 3 at the residuals, and no other effect does better."""
    m = model(covariates=["batch"]).fit(cells)
    W = m.weights_.to_numpy()
    Y = cells.X - m.mean_
    X = (cells.obs["batch"] == "batch_2").to_numpy()[:, None] - m.covariate_mean_

    def height(effects):
        left = Y - X @ effects.T
        return data_term(left, left @ best_encoder(W, 0.1), W, 0.1)

    assert height(m.effects_) == pytest.approx(m.history_["F"].iloc[-1], rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert height(m.effects_ + 0.05 * rng.normal(size=m.effects_.shape)) > height(m.effects_)


def test_covariates_that_repeat_each_other_are_refused(cells):
    data = cells.copy()
    data.obs["again"] = data.obs["batch"]
    with pytest.raises(ValueError, match="repeat each other"):
        model(covariates=["batch", "again"]).fit(data)


def test_last_batch_of_one_cell(cells):
    m = model("adam", batch_size=83, epochs=1).fit(cells)  # 250 = 3 x 83 + 1
    assert np.isfinite(m.loadings_.to_numpy()).all()


def test_adam_is_the_published_step(cells):
    """After a batch: Adam at the learning rate, then thresholds of learning rate x lambda."""
    lambdas = dict(lambda0=0.1, lambda1=0.93, lambda2=0.43, lambda3=0.57)
    m = model("adam", epochs=1, **lambdas).fit(cells)
    assert {k: m.lambdas_[k] for k in lambdas} == lambdas
    defaults = model("adam", epochs=1).fit(cells)
    assert {k: defaults.lambdas_[k] for k in lambdas} == lambdas
    # Adam moves a weight by at most about the learning rate a batch, the maps by lr x lambda:
    # so 5 batches of lr 1e-3 cannot take an entry outside its set to zero unless it was that near
    W = m.weights_.to_numpy()
    off = cells.varm["annotations"] == 0
    start = 1 / np.sqrt(8)
    share = (W[off] == 0).mean()
    near = 5 * 1e-3 * (1 + 0.93 + 0.57) / start  # in standard deviations of the start
    assert 0 < share < 2 * near


@pytest.mark.parametrize("solver", ["exact", "proximal"])
def test_terms_go_off(cells, solver):
    m = model(solver, lambda1=0.5, lambda3=3.0, epochs=5).fit(cells)
    off = ~m.terms_["active"].to_numpy()
    assert 0 < off.sum() < 8
    assert (m.weights_.to_numpy()[:, off] == 0).all()
    assert m.history_["n_deactivated"].iloc[-1] == off.sum()


def test_a_penalty_on_annotated_genes_drops_some(cells):
    plain = model(n_dense=0, lambda1=0.5, lambda3=0.6).fit(cells)
    strict = model(n_dense=0, lambda1=0.5, lambda3=0.6, annotated_share=0.5).fit(cells)
    assert strict.lambdas_["lambda_annotated"] == 0.25
    assert (plain.terms_["genes_removed"] == "").all()
    assert (strict.terms_.loc[strict.terms_["active"], "genes_removed"] != "").any()


# -------------------------------------------------------- passes over the cells


def test_exact_reads_the_cells_twice(cells, tmp_path, monkeypatch):
    """Once for the second moments, once for the loadings."""
    cells.write_h5ad(tmp_path / "cells.h5ad")
    backed, read = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r"), []
    getitem = h5py.Dataset.__getitem__

    def counted(dataset, key, **kwargs):
        rows = getitem(dataset, key, **kwargs)
        if dataset.name == "/X":
            read.append(len(rows))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(h5py.Dataset, "__getitem__", counted)
        fit = model(covariates=["batch"]).fit(backed)
    assert sum(read) == 2 * len(cells) + 200  # the first ones once more, for where the means are
    # and what is said of all cells without a third pass is what they say
    X = (cells.obs["batch"] == "batch_2").to_numpy()[:, None] - fit.covariate_mean_
    left = cells.X - fit.mean_ - X @ fit.effects_.T
    Z, W = fit.encode(cells).to_numpy(), fit.weights_.to_numpy()
    F = data_term(left, Z, W, 0.1)
    best = fit.history_["F"].iloc[-1]
    assert fit.gap_ == pytest.approx(F - best, abs=1e-5 * best)
    alone = [
        1 - ((left - np.outer(Z[:, k], W[:, k])) ** 2).sum() / (left**2).sum() for k in range(8)
    ]
    assert np.allclose(fit.terms_["variance_explained"], alone, atol=1e-5)


@pytest.mark.parametrize("fresh", [model(), model("adam"), intae.MaskedAutoencoder(threads=1)])
def test_a_value_that_is_not_finite_is_named(cells, fresh):
    for value in (np.nan, np.inf):
        broken = cells.copy()
        broken.X[7, 3] = value
        where = f"cell {cells.obs_names[7]!r}, gene {cells.var_names[3]!r}"
        with pytest.raises(ContractError, match=f"X: {value} at {where}"):
            fresh.fit(broken)


# ------------------------------------------------------- necessity and the path


def test_necessity_finds_the_stand_in(cells):
    """Of two terms with the same genes, one stands in for the other at no cost."""
    twin, lambdas = cells.copy(), dict(n_dense=0, lambda1=0.5, lambda3=3.0)
    fit = model(**lambdas).fit(cells)
    best = fit.terms_["relevance"].idxmax()
    copied = cells.varm["annotations"][:, [fit.terms_.index.get_loc(best)]]
    twin.varm["annotations"] = np.hstack([cells.varm["annotations"], copied])
    twin.uns["terms"] = np.append(cells.uns["terms"], "TWIN").astype(object)
    table = model(**lambdas).fit(twin).necessity()
    name, other = (best, "TWIN") if best in table.index else ("TWIN", best)
    assert abs(table.loc[name, "rise"]) < 1e-3
    assert table.loc[name, "stand_ins"].split()[0] == other
    assert table.loc[name, "stand_in_r"] > 0.99
    assert table["rise"].max() > 0.1


def test_necessity_of_a_loaded_model_needs_the_data(fits, cells, tmp_path):
    fits["exact"].save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="necessity\\(adata\\)"):
        back.necessity()
    assert np.allclose(back.necessity(cells)["rise"], fits["exact"].necessity()["rise"], atol=1e-6)


def test_necessity_leaves_the_model_as_it_was(cells, tmp_path):
    fit = model(n_dense=1).fit(cells)

    def state():
        fit.save(tmp_path / "model.h5")
        attributes = {name: pickle.dumps(value) for name, value in fit.__dict__.items()}
        return attributes | {"file": (tmp_path / "model.h5").read_bytes()}

    before, at_first = state(), fit.necessity()
    fit.necessity(cells[:200].copy())  # other cells, other moments
    assert state() == before
    assert fit.necessity().equals(at_first)


def test_path_goes_from_nothing_to_more(cells):
    train, other = cells[::2].copy(), cells[1::2].copy()
    table = model().path(train, [0.05, 1.0, 0.3], held_out=other)
    assert list(table["fraction"]) == [1.0, 0.3, 0.05]
    assert table["n_active"].iloc[0] == 0
    assert table["n_active"].is_monotonic_increasing
    assert table["objective"].is_monotonic_decreasing
    assert table["held_out"].iloc[-1] > table["held_out"].iloc[1] > 0
    assert table["converged"].all()
    with pytest.raises(ValueError, match="fractions"):
        model().path(train, [0.5, 2.0])


# -------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"solver": "magic"}, "solver must be one of .*, not 'magic'"),
        ({"n_dense": -1}, "n_dense"),
        ({"annotated_share": 1}, "annotated_share"),
        ({"lambda0": 0.0}, "lambda0"),
        ({"lambda1": -1.0}, "lambda1"),
        ({"covariates": "batch"}, r"\['batch'\]"),
        ({"covariates": ["lane"]}, "'lane'"),
        ({"weighting": "heavy"}, "weighting"),
        ({"solver": "adam", "device": "toaster"}, "device must be one of .*, not 'toaster'"),
    ],
)
def test_mistakes_are_named(cells, kwargs, message):
    with pytest.raises(ValueError, match=message):
        model(**kwargs).fit(cells)


def test_unfitted_models_say_so(cells):
    with pytest.raises(intae.base.NotFittedError, match="fit"):
        model().transform(cells)


# ------------------------------------------------------------------- real data


def test_kang17_subset():
    raw = anndata.read_h5ad(mirror_file("kang17_subset.h5ad"))
    raw = raw[raw.obs["multiplets"] == "singlet"].copy()
    data = intae.prepare(raw, mirror_file("c2.cp.reactome.v4.0.symbols.gmt"))
    fit = model(lambda0=0.1, lambda1=0.93, lambda2=0.43, lambda3=0.57).fit(data)
    last = fit.history_.iloc[-1]
    assert last["objective"] <= 53.07
    assert last["certificate"] <= 1e-4

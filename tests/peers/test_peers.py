"""Models of others keep the contract, stop at a budget, and say what to install.

Each test runs where the package is installed (the extra `peers`); the last ones everywhere.
"""

import importlib
import sys

import numpy as np
import pytest
from anndata import AnnData
from scipy.stats import rankdata

import intae
from intae.errors import IntaeError
from intae.peers.spectra import name_factors, top_genes
from intae.prepared import annotation_table
from intae.testing import check_model

PACKAGES = {
    "MOFAFLEX": ("mofaflex", {"max_iter": 3, "device": "cpu"}),
    "ExpiMap": ("scarches", {"epochs": 3, "device": "cpu"}),
    "Spectra": ("Spectra", {"max_iter": 3}),
    "MuVI": ("muvi", {"max_iter": 3, "device": "cpu"}),
    "LinearSCVI": ("scvi", {"epochs": 3, "n_dense": 3, "device": "cpu"}),
    "CNMF": ("cnmf", {"restarts": 6, "n_dense": 3, "density_threshold": 2.0}),
}
EPOCHS = {
    "MOFAFLEX": "max_iter", "ExpiMap": "epochs", "Spectra": "max_iter", "MuVI": "max_iter",
    "LinearSCVI": "epochs", "CNMF": "restarts",
}  # fmt: skip
SHIMS = {
    "scarches": ("intae.peers.expimap", "import_scarches"),
    "muvi": ("intae.peers.muvi", "import_muvi"),
}
OF_COUNTS = ("LinearSCVI", "CNMF", "ExpiMap")


@pytest.fixture(scope="module")
def simulated():
    """Small prepared counts: no negative values, which Spectra refuses, and size factors."""
    data = intae.simulate(n_cells=150, n_genes=60, n_terms=6, n_active=3, n_dense=1, seed=1)
    mean = np.exp(np.asarray(data.X) - np.asarray(data.X).mean() + 1)
    counts = AnnData(np.random.default_rng(0).poisson(mean), data.obs, data.var)
    sets = annotation_table(data)
    sets = {term: list(sets.index[sets[term] > 0]) for term in sets}
    return intae.prepare(counts.copy(), sets, n_hvgs=None, min_genes=0)


def make(name, **params):
    """Return a quick model, or skip where its package is not installed."""
    package, quick = PACKAGES[name]
    if package in SHIMS:
        home, importer = SHIMS[package]
        try:
            getattr(importlib.import_module(home), importer)()
        except ImportError as error:
            pytest.skip(str(error))
    else:
        pytest.importorskip(package, reason=f"needs {package}, of the extra intae[peers]")
    return getattr(intae, name)(**quick | {"threads": 1} | params)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_peer_keeps_the_contract(name, simulated):
    check_model(make(name), simulated)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_budget_ends_a_fit_which_then_counts_for_its_runtime_only(name, simulated):
    model = make(name, budget=0.001, **{EPOCHS[name]: 50}).fit(simulated)
    assert model.projected_ and not model.converged_ and model.n_iter_ == 1
    assert model.projected_seconds_ == pytest.approx(50 * model.seconds_)
    whole = make(name, budget=1e6).fit(simulated)
    assert not whole.projected_ and whole.n_iter_ == PACKAGES[name][1][EPOCHS[name]]


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "CNMF"])
def test_training_lowers_the_loss_and_another_seed_gives_other_numbers(name, simulated):
    model = make(name, **{EPOCHS[name]: 40}).fit(simulated)
    loss = model.history_["loss"].to_numpy()
    assert np.isfinite(loss).all() and loss[-5:].mean() < loss[:5].mean()
    other = make(name, seed=1, **{EPOCHS[name]: 40}).fit(simulated)
    assert np.abs(other.loadings_ - model.loadings_).to_numpy().max() > 1e-3


@pytest.mark.parametrize("name", OF_COUNTS)
def test_a_model_of_counts_says_where_they_cannot_be_restored(name, simulated):
    model = make(name)
    with pytest.raises(IntaeError, match=rf"size_factor.*is missing, and {name} needs raw counts"):
        model.fit(intae.simulate(n_cells=50, n_genes=40, n_terms=4, n_active=3))


def test_cnmf_finds_the_programs_that_made_the_counts():
    model = make("CNMF", restarts=10, density_threshold=0.5)
    rng = np.random.default_rng(3)
    programs = np.kron(np.eye(3), np.ones((1, 20))) * 8 + 0.2
    usage = rng.dirichlet(np.full(3, 0.3), size=200)
    counts = AnnData(rng.poisson(usage @ programs).astype(float))
    sets = {f"s{k}": [f"{g}" for g in range(20 * k, 20 * k + 20)] for k in range(3)}
    model.fit(intae.prepare(counts, sets, n_hvgs=None, min_genes=0))
    r = np.corrcoef(model.loadings_.T, usage.T)[:3, 3:]
    assert sorted(r.argmax(1)) == [0, 1, 2] and r.max(1).min() > 0.9


@pytest.mark.parametrize("loss", ["nb", "mse"])
def test_expimap_reconstructs_what_its_decoder_makes_and_masks_are_hard(simulated, loss):
    model = make("ExpiMap", epochs=20, recon_loss=loss).fit(simulated)
    outside = simulated.varm["annotations"] == 0
    assert np.all(model.weights_.to_numpy()[outside] == 0)
    torch = importlib.import_module("torch")
    made = model._make(model._as_expected(simulated))
    made.model.load_state_dict({k: torch.tensor(v) for k, v in model.network_.items()})
    latent = torch.tensor((model.loadings_ * model.sign_).to_numpy(), dtype=torch.float32)
    means, _ = made.model.decoder(latent, torch.zeros(len(latent), dtype=torch.int64))
    expected = means.detach().numpy().astype(float)
    if loss == "nb":  # shares of the cell's counts, which are normalised as the data were
        counts = np.expm1(np.asarray(simulated.X, dtype=float))
        expected = np.log1p(expected * counts.sum(1, keepdims=True))
    np.testing.assert_allclose(model.reconstruct(simulated), expected, rtol=1e-4, atol=1e-4)


def test_expimap_takes_data_without_counts_by_squared_error():
    data = intae.simulate(n_cells=50, n_genes=40, n_terms=4, n_active=3)
    model = make("ExpiMap", recon_loss="mse").fit(data)
    assert model.loadings_.shape == (50, 4)


def test_spectra_names_factors_by_the_overlap_of_their_highest_genes():
    sets = np.zeros((100, 3), dtype=bool)
    sets[:10, 0], sets[10:40, 1], sets[90:, 2] = True, True, True
    factors = np.zeros((4, 100))
    factors[0, 0:50] = 2.0  # all of set 0 (1.0), of set 1 as well
    factors[1, 5:55] = 2.0  # 5 of set 0, all of set 1
    factors[2, 2:52] = 2.0  # 8 of set 0, all of set 1, later than factor 1
    factors[3, 41:91] = 2.0  # 1 of set 2, below .2
    named, overlap = name_factors(top_genes(factors, 50), sets)
    assert named == {0: 0, 1: 1}
    np.testing.assert_allclose(overlap[:, 0], [1, 0.5, 0.8, 0])
    np.testing.assert_allclose(overlap[3], [0, 0, 0.1])


def test_spectra_refuses_negative_values(simulated):
    pytest.importorskip("Spectra", reason="needs scSpectra, of the extra intae[peers]")
    wrong = simulated.copy()
    wrong.X[0, 0] = -1.0
    with pytest.raises(IntaeError, match="X: holds negative values, and Spectra needs"):
        intae.Spectra().fit(wrong)


def test_ucell_is_the_scaled_rank_sum_of_all_genes():
    pytest.importorskip("pyucell", reason="needs pyucell, of the extra intae[peers]")
    simulated = intae.simulate(n_cells=150, n_genes=60, n_terms=6, n_active=3, n_dense=1, seed=1)
    simulated.X = np.abs(simulated.X)
    model = intae.GeneSetScore("ucell", threads=1).fit(simulated)
    X, known = np.asarray(simulated.X, float), np.asarray(simulated.varm["annotations"], float)
    ranks = rankdata(-X, axis=1)  # no value is zero here
    size = known.sum(0)
    smallest = size * (size + 1) / 2
    score = 1 - (ranks @ known - smallest) / (size * X.shape[1] - smallest)
    np.testing.assert_allclose(model.loadings_, np.maximum(score, 0), atol=1e-5)
    check_model(intae.GeneSetScore("ucell"))


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_is_told_of_in_one_line(name, simulated, monkeypatch):
    package = PACKAGES[name][0]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"intae\.{name} needs the package .*, .*make peers"):
        getattr(intae, name)().fit(simulated)

"""Models of others keep the contract, stop at a budget, and say what to install.

Each test runs where the package is installed (the extra `peers`); the last ones everywhere.
"""

import sys

import numpy as np
import pytest
from scipy.stats import rankdata

import intae
from intae.errors import IntaeError
from intae.peers.spectra import name_factors, top_genes
from intae.testing import check_model

PACKAGES = {
    "MOFAFLEX": ("mofaflex", {"max_iter": 3, "device": "cpu"}),
    "ExpiMap": ("scarches", {"epochs": 3, "device": "cpu"}),
    "Spectra": ("Spectra", {"max_iter": 3}),
}
EPOCHS = {"MOFAFLEX": "max_iter", "ExpiMap": "epochs", "Spectra": "max_iter"}


@pytest.fixture(scope="module")
def simulated():
    """Small simulated data without negative values, which Spectra refuses."""
    data = intae.simulate(n_cells=150, n_genes=60, n_terms=6, n_active=3, n_dense=1, seed=1)
    data.X = np.abs(data.X)
    return data


def make(name, **params):
    """Return a quick model, or skip where its package is not installed."""
    package, quick = PACKAGES[name]
    if package == "scarches":
        from intae.peers.expimap import import_scarches

        try:
            import_scarches()
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
    assert not whole.projected_ and whole.n_iter_ == 3


@pytest.mark.parametrize("name", PACKAGES)
def test_training_lowers_the_loss_and_another_seed_gives_other_numbers(name, simulated):
    model = make(name, **{EPOCHS[name]: 40}).fit(simulated)
    loss = model.history_["loss"].to_numpy()
    assert np.isfinite(loss).all() and loss[-5:].mean() < loss[:5].mean()
    other = make(name, seed=1, **{EPOCHS[name]: 40}).fit(simulated)
    assert np.abs(other.loadings_ - model.loadings_).to_numpy().max() > 1e-3


def test_expimap_reconstructs_and_masks_are_hard(simulated):
    model = make("ExpiMap", epochs=60).fit(simulated)
    outside = simulated.varm["annotations"] == 0
    assert np.all(model.weights_.to_numpy()[outside] == 0)
    X = np.asarray(simulated.X, dtype=float)
    left = ((X - model.reconstruct(simulated).to_numpy()) ** 2).sum()
    assert left < (X**2).sum()


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
    wrong.X[0, 0] = -1
    with pytest.raises(IntaeError, match="X: holds negative values, and Spectra needs"):
        intae.Spectra().fit(wrong)


def test_ucell_is_the_scaled_rank_sum_of_all_genes(simulated):
    pytest.importorskip("pyucell", reason="needs pyucell, of the extra intae[peers]")
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
    with pytest.raises(ImportError, match=rf"intae\.{name} needs the package {package}, .*make pe"):
        getattr(intae, name)().fit(simulated)

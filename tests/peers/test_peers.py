"""Models of others keep the contract, stop at a budget, and say what to install.

Each test runs where the package is installed (the extra `peers`); the last ones everywhere.
"""

import sys

import numpy as np
import pytest

import intae
from intae.testing import check_model

PACKAGES = {"MOFAFLEX": ("mofaflex", {"max_iter": 3}), "ExpiMap": ("scarches", {"epochs": 3})}
EPOCHS = {"MOFAFLEX": "max_iter", "ExpiMap": "epochs"}


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
    return getattr(intae, name)(**quick | {"threads": 1, "device": "cpu"} | params)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_peer_keeps_the_contract(name):
    check_model(make(name))


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


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_is_told_of_in_one_line(name, simulated, monkeypatch):
    package = PACKAGES[name][0]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"intae\.{name} needs the package {package}, .*make pe"):
        getattr(intae, name)().fit(simulated)

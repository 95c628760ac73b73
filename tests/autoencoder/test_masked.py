"""The autoencoder with a masked first layer."""

import numpy as np
import pytest

from intae import MaskedAutoencoder
from intae.autoencoder.masked_network import MaskedNetwork

pytestmark = pytest.mark.usefixtures("one_thread")


def model(mask, **kwargs):
    return MaskedAutoencoder(mask, **{"epochs": 3, "threads": 1, "device": "cpu"} | kwargs)


@pytest.fixture(scope="module")
def fits(cells):
    return {mask: model(mask).fit(cells) for mask in ("hard", "stochastic")}


def test_a_hard_unit_sees_its_genes_alone(fits, cells):
    known = cells.varm["annotations"] > 0
    W = fits["hard"].weights_.to_numpy()
    assert (W[~known] == 0).all() and (W[known] != 0).all()
    blind = cells.copy()
    blind.X[:, ~known[:, 2]] = 7.0  # all that unit 2 does not see
    seen = fits["hard"].transform(blind).iloc[:, 2]
    np.testing.assert_allclose(seen, fits["hard"].loadings_.iloc[:, 2], atol=1e-5)
    assert (fits["hard"].terms_["genes_added"] == "").all()


def test_a_stochastic_mask_opens_as_often_as_asked(cells):
    known = cells.varm["annotations"] > 0
    network = MaskedNetwork(np.where(known, 0.9, 0.2))
    network.W.data.fill_(1.0)
    network.train()
    drawn = np.mean([network.weights().detach().numpy() for _ in range(2000)], axis=0)
    assert abs(drawn[known] - 0.9).max() < 0.05
    assert abs(drawn[~known] - 0.2).max() < 0.06
    network.eval()
    np.testing.assert_allclose(network.weights().detach(), np.where(known, 0.9, 0.2), rtol=1e-6)


def test_a_mask_that_lets_genes_in_finds_more(cells):
    fit = model("stochastic", outside=0.5, inside=0.9).fit(cells)
    known = cells.varm["annotations"] > 0
    W = abs(fit.weights_.to_numpy())
    for k, term in enumerate(fit.terms_.index):
        added = ~known[:, k] & (W[:, k] >= np.median(W[known[:, k], k]))
        assert fit.terms_.loc[term, "genes_added"].split() == list(cells.var_names[added])
    assert (fit.terms_["genes_added"] != "").any()


@pytest.mark.parametrize("mask", ["hard", "stochastic"])
def test_what_it_says_hangs_together(fits, cells, mask):
    m = fits[mask]
    Y = cells.X - cells.X.mean(0)
    assert list(m.history_["iteration"]) == [1, 2, 3]
    assert m.history_["F"].is_monotonic_decreasing
    np.testing.assert_allclose(m.loadings_, Y @ m.weights_.to_numpy(), atol=1e-4)
    sums = (m.weights_.to_numpy() * cells.varm["annotations"]).sum(0)
    assert (sums >= 0).all()
    # turning the signs has left what the network makes of the cells as it was
    error = ((cells.X - m.reconstruct(cells).to_numpy()) ** 2).sum() / cells.n_obs
    assert error == pytest.approx(m.history_["F"].iloc[-1], rel=1e-4)
    assert m.terms_["active"].all()


def test_relevance_is_what_the_reconstruction_loses(fits, cells):
    """Against the weights themselves: a unit without weights is one held at its mean, zero."""
    m = fits["hard"]
    k = int(np.argmax(m.terms_["relevance"]))
    held = m.weights_.copy()
    held.iloc[:, k] = 0.0
    without = MaskedAutoencoder(**m.get_params())
    without.__dict__.update(m.__dict__ | {"weights_": held})
    errors = [
        ((cells.X - other.reconstruct(cells).to_numpy()) ** 2).sum() / cells.n_obs
        for other in (without, m)
    ]
    assert m.terms_["relevance"].iloc[k] == pytest.approx(errors[0] - errors[1], rel=1e-3)


@pytest.mark.parametrize("mask", ["hard", "stochastic"])
def test_save_load_and_seeds(fits, cells, mask, tmp_path):
    fits[mask].save(tmp_path / "model.h5")
    back = MaskedAutoencoder.load(tmp_path / "model.h5")
    shuffled = cells[:40, np.random.default_rng(0).permutation(60)].copy()
    assert np.allclose(back.transform(shuffled), fits[mask].loadings_[:40], atol=1e-5)
    assert np.allclose(back.reconstruct(cells), fits[mask].reconstruct(cells))
    again, other = model(mask).fit(cells), model(mask, seed=1).fit(cells)
    assert np.array_equal(again.weights_, fits[mask].weights_)
    assert not np.allclose(other.weights_, fits[mask].weights_)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"mask": "soft"}, "mask must be one of hard, stochastic, not 'soft'"),
        ({"inside": 0.1, "outside": 0.2}, "inside must be larger than outside"),
        ({"epochs": 0}, "epochs must be an integer of at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0"),
    ],
)
def test_mistakes_are_named(cells, kwargs, message):
    with pytest.raises(ValueError, match=message):
        MaskedAutoencoder(**kwargs).fit(cells)

"""Networks trained side by side: each is what it would have been alone."""

import numpy as np
import pytest
import torch
from autoencoders import needs_gpu

import intae
from intae.autoencoder import network
from intae.autoencoder.together import in_turn
from intae.errors import IntaeError


@pytest.fixture(scope="module")
def cells():
    return intae.simulate(n_cells=401, n_genes=60, n_terms=8, n_active=3, seed=2)


def models(device="cpu"):
    """Return networks that differ in what may differ; that with more epochs ends last."""
    common = {"device": device, "threads": 1}
    return [
        intae.Autoencoder("adam", epochs=3, seed=0, **common),
        intae.Autoencoder("adam", epochs=5, seed=1, **common),
        intae.Autoencoder("adam", epochs=3, seed=0, lambda1=0.5, **common),
        intae.Autoencoder("adam", epochs=2, seed=0, batch_size=100, n_dense=2, **common),
        intae.Autoencoder("proximal", epochs=4, seed=3, **common),
    ]


def same(one, other):
    """Say whether two fits have the same numbers."""
    told = [m.history_.drop(columns="seconds") for m in (one, other)]
    return (
        one.weights_.equals(other.weights_)
        and one.loadings_.equals(other.loadings_)
        and one.terms_.equals(other.terms_)
        and told[0].equals(told[1])
    )


def test_each_ends_where_it_ends_alone(cells):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    together, alone = intae.fit_together(models(), cells), [m.fit(cells) for m in models()]
    assert torch.equal(torch.get_rng_state(), before)  # a user's own numbers
    assert all(same(*both) for both in zip(together, alone, strict=True))
    assert not same(together[0], together[1]) and not same(together[0], together[2])
    assert together[0].seconds_ < together[1].seconds_  # it had fewer epochs to wait for


def test_they_take_turns_and_read_the_cells_once(cells, monkeypatch):
    order, read = [], []
    train, count = network.train, network.Feed.__init__

    def noted(*given, seed, **named):
        steps = train(*given, seed=seed, **named)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
            order.append(seed)
            yield

    monkeypatch.setattr(network, "train", noted)
    monkeypatch.setattr(
        network.Feed, "__init__", lambda self, *given: read.append(1) or count(self, *given)
    )
    intae.fit_together([intae.Autoencoder("adam", epochs=2, seed=s) for s in (1, 2, 3)], cells)
    assert len(read) == 1
    assert order == [1, 2, 3] * (2 * 7)  # batches of 62 of 401 cells


def test_works_of_different_lengths_all_end():
    ended = []

    def work(n):
        for _ in range(n):
            yield
        ended.append(n)

    in_turn([work(n) for n in (3, 0, 5)], torch.device("cpu"))
    assert ended == [0, 3, 5]


def test_nothing_to_fit_is_nothing():
    assert intae.fit_together([], None) == []


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (intae.Autoencoder(), "model 1 of fit_together is no network: Autoencoder"),
        (intae.PCA(), "is no network: PCA"),
        (intae.Autoencoder("adam", threads=2), "share their threads, and model 1 has 2"),
        (intae.Autoencoder("adam", covariates=["batch"]), "share their covariates"),
        (intae.Autoencoder("adam", epochs=0), "epochs"),
    ],
)
def test_what_cannot_go_together_is_refused(cells, second, message):
    with pytest.raises(IntaeError, match=message):
        intae.fit_together([intae.Autoencoder("adam", threads=1), second], cells)


def test_a_model_may_come_once(cells):
    model = intae.Autoencoder("adam")
    with pytest.raises(IntaeError, match="same model twice"):
        intae.fit_together([model, model], cells)


@needs_gpu
def test_on_a_gpu_side_by_side_is_as_alone(cells):
    together, alone = intae.fit_together(models("cuda"), cells), models("cuda")
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.weights_, other.fit(cells).weights_, rtol=1e-3, atol=1e-4)

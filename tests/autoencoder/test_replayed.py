"""A training step that a GPU can record: checked without one, and run where there is one."""

import numpy as np
import pytest
import torch
from autoencoders import needs_gpu
from torch.utils._python_dispatch import TorchDispatchMode

import intae
from intae.autoencoder import masked_network, network
from intae.autoencoder.data import Cells
from intae.autoencoder.feed import Feed
from intae.autoencoder.network import make_encoder
from intae.autoencoder.penalties import Penalty
from intae.autoencoder.replayed import BEFORE, Replayed
from intae.autoencoder.training_step import Adam, Layers, residual_gradient

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cells():
    return intae.simulate(n_cells=401, n_genes=60, n_terms=8, n_active=3, seed=2)


class Waits(TorchDispatchMode):
    """Notes what would make a GPU wait: a value asked for, or tensors of another device."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, operator, types, given=(), named=None):
        made = operator(*given, **(named or {}))
        name = operator.overloadpacket.__name__
        if name in ("_local_scalar_dense", "nonzero", "equal", "masked_select"):
            self.found.append(name)
        return made


STEPS = {
    "adam": lambda cells: intae.Autoencoder("adam", epochs=1, seed=0, device="cpu").fit(cells),
    "proximal": lambda cells: intae.Autoencoder("proximal", epochs=2, seed=0, device="cpu").fit(
        cells
    ),
    "masked": lambda cells: intae.MaskedAutoencoder(epochs=1, seed=0, device="cpu").fit(cells),
}


@pytest.mark.parametrize("method", STEPS)
def test_what_is_recorded_asks_for_no_value(method, cells, monkeypatch):
    found, done = [], []

    class Watched(Replayed):
        def __call__(self, *given):
            with Waits() as waits:
                returned = super().__call__(*given)
            found.extend(waits.found)
            done.append(given[0].shape)
            return returned

    for module in (network, masked_network):
        monkeypatch.setattr(module, "Replayed", Watched)
    STEPS[method](cells)
    assert len(done) >= 7 and not found
    with Waits() as waits:  # which does see such a thing
        bool(torch.ones(()) > 0)
    assert waits.found == ["_local_scalar_dense"]


def test_nothing_of_the_step_is_left_on_another_device():
    """Tensors of the device `meta` have shapes alone, and take no tensor of the CPU beside them."""
    meta = torch.device("meta")
    encoder = make_encoder(30, 5).to(meta).train()
    W = torch.empty(30, 5, device=meta)
    W.grad = torch.empty_like(W)
    kinds = np.array(["annotated"] * 5)
    prox = Penalty.build(np.ones((30, 5)), kinds, 1.0, 0.0, 1.0).to_torch(meta, W.dtype)
    prox = prox.prox_of_step(0.01)
    optimizer, layers = Adam([*encoder.parameters(), W], 0.01), Layers(encoder)
    with torch.no_grad():
        Y = torch.empty(7, 30, device=meta)
        Z = layers.forward(Y)
        of_fit, of_loadings = residual_gradient(Y, Z, W, 0.1)
        layers.backward(of_loadings)
        torch.mm(of_fit.T, Z, out=W.grad)
        optimizer.step()
        prox(W)
    assert all(p.grad.device == meta for p in encoder.parameters())
    with pytest.raises(RuntimeError, match="device"):
        layers.forward(torch.empty(7, 30))


def test_on_a_cpu_the_work_is_done_as_it_is():
    done = []
    random = torch.Generator()
    assert Replayed(lambda *given: done.append(given) or given, CPU, random)(1, 2) == (1, 2)
    assert done == [(1, 2)]


def test_cells_that_do_not_fit_come_in_the_same_batches(cells):
    """Read while the network works, instead of held where it is."""
    read, drawn = Cells(cells, None), []
    for room in (2**30, 0):
        feed = Feed(read, CPU, room)
        assert (feed.resident is None) == (room == 0)
        random = torch.Generator().manual_seed(3)
        drawn.append([feed.take(*batch)[0] for batch in feed.epoch(64, random)])
        everything = torch.cat([Y for Y, _ in feed.blocks()])
        assert torch.allclose(everything, torch.from_numpy(read.batch(slice(None))), atol=1e-5)
    assert len(drawn[0]) == 7
    assert all(torch.equal(*both) for both in zip(*drawn, strict=True))


@needs_gpu
@pytest.mark.parametrize("solver", ["adam", "proximal"])
def test_on_a_gpu_a_recorded_step_gives_what_its_kernels_give(cells, monkeypatch, solver):
    def fit():
        return intae.Autoencoder(solver, epochs=5, seed=0, device="cuda").fit(cells)

    recorded = fit()
    assert fit().weights_.equals(recorded.weights_)  # the same seed, the same numbers
    monkeypatch.setattr("intae.autoencoder.replayed.BEFORE", 10**9)
    np.testing.assert_allclose(fit().weights_, recorded.weights_, rtol=1e-3, atol=1e-4)


@needs_gpu
def test_on_a_gpu_every_call_does_the_work_once():
    device = torch.device("cuda")
    total, random = torch.zeros(3, device=device), torch.Generator(device).manual_seed(0)
    drawn = torch.zeros(3, device=device)

    def work(given: torch.Tensor) -> tuple[torch.Tensor]:
        drawn.uniform_(generator=random)
        return (total.add_(given).clone(),)

    add, seen = Replayed(work, device, random), set()
    for i in range(2 * BEFORE + 2):
        (returned,) = add(torch.full((3,), float(i), device=device))
        assert returned.tolist() == [i * (i + 1) / 2] * 3
        seen.add(float(drawn[0]))
    assert len(add.recordings) == 1
    assert len(seen) == 2 * BEFORE + 2  # a recording draws anew each time

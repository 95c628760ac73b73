"""The encoder as a network (equation 1), and its training by two algorithms; needs torch.

`adam`, as published: Adam on the encoder and on W, then the proximal step on W (equation 7, with
Adam in the gradient's place), batch by batch. Adam rescales the gradient of W and the proximal map
that follows does not know it, so its fixed point is no minimum of equation 3.

`proximal`: Adam keeps the encoder, and W, in which F is quadratic, takes proximal gradient steps

    W <- prox(W - grad F / L, 1 / L),   L = 2 x the largest eigenvalue of Z'Z / N

on running averages of Z'Z / N and Y'Z / N. Each step lowers F + R at the averaged moments.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from ..errors import IntaeError
from .checkpoint import Checkpoint
from .feed import Feed, without
from .objective import History, Loadings
from .penalties import Penalty
from .replayed import Replayed
from .training_step import Adam, Layers, residual_gradient

log = logging.getLogger(__name__)

HIDDEN = 400
DROPOUT = 0.2


def make_encoder(n_genes: int, n_terms: int, hidden: int = HIDDEN) -> nn.Sequential:
    """genes -> 400 -> 400 -> terms, each hidden layer Linear, BatchNorm, ELU, dropout 0.2."""
    layers: list[nn.Module] = []
    for n_in in (n_genes, hidden):
        layers += [nn.Linear(n_in, hidden), nn.BatchNorm1d(hidden), nn.ELU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers, nn.Linear(hidden, n_terms))


def random_decoder(n_genes: int, n_terms: int) -> torch.Tensor:
    """W at the published start: N(0, 1) / sqrt(terms), genes x terms."""
    return torch.randn(n_genes, n_terms) / n_terms**0.5


def choose_device(device: str) -> torch.device:
    """Return the device: `auto` is the GPU when there is one, and the CPU when not.

    Raises
    ------
    IntaeError
        If the device is not known or not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        msg = f"device {device!r} is not known; use 'auto', 'cpu' or 'cuda'"
        raise IntaeError(msg) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        msg = "device='cuda', but torch sees no GPU here; use device='auto' or 'cpu'"
        raise IntaeError(msg)
    return chosen


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers on the CPU from the seed, and leave its state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed GPUs as well
        yield


@contextmanager
def fast_products(device: torch.device, wanted: bool = True) -> Iterator[None]:
    """Multiply matrices on a GPU in TF32 inside, which rounds factors to 10 bits after the point.

    What it changes in weights is less than what a seed does (`benchmarks/gpu.py --rounded`). The
    proximal solver, which is to reach a certificate, goes without.
    """
    before = torch.get_float32_matmul_precision()
    if wanted and device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class Draws:
    """The random numbers of one training, which no other training draws from.

    They go on where those drawn inside :func:`seeded` ended.

    Parameters
    ----------
    seed
        Of dropout on a GPU.
    device
        Where the network is.

    Attributes
    ----------
    order, dropout
        The generators: of the CPU, for the order of cells, and of the device.
    """

    def __init__(self, seed: int, device: torch.device):
        self.order = self.dropout = torch.Generator()
        self.order.set_state(torch.get_rng_state())
        if device.type != "cpu":
            self.dropout = torch.Generator(device).manual_seed(seed)

    def state(self) -> list[torch.Tensor]:
        """Return the state, to be kept."""
        each = [self.order] if self.dropout is self.order else [self.order, self.dropout]
        return [generator.get_state() for generator in each]

    def go_on(self, state: list[torch.Tensor]) -> None:
        """Take over a state that was kept."""
        for generator, kept in zip((self.order, self.dropout), state, strict=False):
            generator.set_state(kept)


@torch.no_grad()
def evaluate(network: nn.Module, rows: np.ndarray, device: torch.device) -> np.ndarray:
    """Return what a network makes of rows, in evaluation mode, float64.

    The encoder gives the loadings of centred cells, the masked network's decoder gives centred
    cells of loadings.
    """
    network.eval()
    block = torch.as_tensor(rows.astype(np.float32), device=device)
    return network(block).cpu().numpy().astype(np.float64)


def last_layer(state: Iterable[str]) -> str:
    """Return the number of the last layer in a state dict's names, such as `8` of `8.weight`."""
    return str(max(int(name.split(".")[0]) for name in state))


def orient_encoder(state: dict[str, np.ndarray], sign: np.ndarray) -> dict[str, np.ndarray]:
    """Return an encoder's state dict with the signs of its loadings, the last layer's, turned.

    Parameters
    ----------
    sign
        1 or -1 per term.
    """
    last = last_layer(state)
    bias, weight = f"{last}.bias", f"{last}.weight"
    return state | {
        bias: (state[bias] * sign).astype(np.float32),
        weight: (state[weight] * sign[:, None]).astype(np.float32),
    }


def load_encoder(state: dict[str, np.ndarray], device: torch.device) -> nn.Sequential:
    """Build the encoder that a state dict, as arrays, describes."""
    first, last = state["0.weight"], state[f"{last_layer(state)}.weight"]
    with seeded(0):  # the weights drawn here are replaced at once
        encoder = make_encoder(first.shape[1], last.shape[0], first.shape[0])
    encoder.load_state_dict({name: torch.as_tensor(np.asarray(v)) for name, v in state.items()})
    return encoder.to(device).eval()


def arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """Return the state dict of a network as arrays."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


@dataclass
class Trained:
    """What training a network leaves.

    Attributes
    ----------
    encoder
        In evaluation mode.
    W
        genes x terms, float64.
    effects
        Phi, genes x covariates.
    history
        One row per epoch.
    converged
        Whether the certificate stopped it.
    """

    encoder: nn.Sequential
    W: np.ndarray
    effects: np.ndarray
    history: pd.DataFrame
    converged: bool


MEMORY = 0.99  # of the running averages, per batch: they span about a hundred batches
WARM_UP = 1  # epochs of the encoder alone, lest terms go off that it has not learned yet


@torch.no_grad()  # gradients are written out: see .training_step
def train(
    feed: Feed,
    penalty: Penalty,
    lambda0: float,
    start: np.ndarray | None,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    history: History,
    tol: float,
    checkpoint: Checkpoint,
) -> Generator[None, None, Trained]:
    """Train encoder and decoder, as published or with proximal steps for the decoder.

    It stops after every batch, so that others can train in between (:mod:`.together`).

    Parameters
    ----------
    feed, penalty, lambda0
        Equation 3: the cells, on the device where the network is to be, R, and the factor of |z|^2.
    start
        W at the start of `proximal`, genes x terms; terms that are off there stay off. None: the
        published algorithm, which draws W and trains W and the covariates' effects by Adam.
    learning_rate
        Adam's; the published algorithm's proximal step has this length, too.
    history
        Gets a row per epoch.
    tol
        The certificate at which `proximal` stops; the published algorithm runs all its epochs.
    checkpoint
        Keeps the state, and has the one to go on from where this fit was killed before.

    Yields
    ------
    Nothing, after every batch.
    """
    cells, device, published, n_terms = feed.cells, feed.device, start is None, len(penalty.kinds)
    with seeded(seed):
        encoder = make_encoder(cells.n_genes, n_terms).to(device)
        W = random_decoder(cells.n_genes, n_terms) if published else torch.as_tensor(start).float()
        draws = Draws(seed, device)
    W = W.to(device)
    effects = torch.as_tensor(cells.effects, dtype=W.dtype, device=device)
    parameters = list(encoder.parameters())
    if published:
        parameters += [W, effects]
        W.grad, effects.grad = torch.empty_like(W), torch.empty_like(effects)
    R = penalty.to_torch(device, W.dtype)
    prox = R.prox_of_step(learning_rate)
    optimizer, layers = Adam(parameters, learning_rate), Layers(encoder, draws.dropout)
    average = RunningLoadings(MEMORY)

    def learn(*batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        Y, X = feed.take(*batch)
        target, Z = without(effects, Y, X), layers.forward(Y)
        of_fit, of_loadings = residual_gradient(target, Z, W, lambda0)
        layers.backward(of_loadings)
        if published:
            torch.mm(of_fit.T, Z, out=W.grad)
            torch.mm(of_fit.T, X, out=effects.grad)
        optimizer.step()
        if published:
            prox(W)
        return target, Z

    learn, done = Replayed(learn, device, draws.dropout), 0
    if kept := checkpoint.read():
        done = kept["epoch"]
        encoder.load_state_dict(kept["encoder"])
        optimizer.load_state_dict(kept["optimizer"])
        average.go_on(kept["average"], device)
        W.copy_(kept["W"])
        effects.copy_(kept["effects"])
        history.go_on(kept["rows"])
        draws.go_on(kept["random"])
    for epoch in range(done + 1, epochs + 1):
        encoder.train()
        for batch in feed.epoch(batch_size, draws.order):
            with fast_products(device, published):
                target, Z = learn(*batch)
            if not published and epoch > WARM_UP:
                moments = average.add(target, Z)
                step = 1 / (2 * torch.linalg.eigvalsh(moments.ZZ)[-1])
                W.copy_(R.prox(W - step * moments.gradient(W), step))
            yield
        weights, phi = _array(W), _array(effects) if published else cells.effects
        moments, total = feed.moments(encoder, effects)
        certificate = history.certificate(weights, moments.gradient(weights))
        F = moments.data_term(total, weights, lambda0)
        row = history.add(epoch, F, weights, certificate)
        log.info(
            "epoch %d of %d: F + R = %.4f, %d terms off",
            epoch, epochs, row["objective"], row["n_deactivated"],
        )  # fmt: skip
        converged = not published and certificate <= tol
        if converged:
            break
        if epoch < epochs:
            checkpoint.offer(lambda epoch=epoch: {
                "epoch": epoch, "encoder": encoder.state_dict(), "W": W, "effects": effects,
                "optimizer": optimizer.state_dict(), "average": average.state(),
                "rows": history.rows, "random": draws.state(),
            })  # fmt: skip
    return Trained(encoder.eval(), weights, phi, history.table(), converged)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


class RunningLoadings:
    """Exponential averages of Y'Z/n and Z'Z/n over batches, without bias at the start."""

    def __init__(self, memory: float):
        self.memory, self.weight = memory, 0.0
        self.YZ = self.ZZ = 0.0

    def add(self, Y: torch.Tensor, Z: torch.Tensor) -> Loadings:
        """Take in a batch and return the averages."""
        new = (1 - self.memory) / len(Y)
        if not self.weight:
            self.YZ, self.ZZ = Y.new_zeros(Y.shape[1], Z.shape[1]), Z.new_zeros(2 * Z.shape[1:])
        self.YZ.mul_(self.memory).add_(torch.mm(Y.T, Z).mul_(new))
        self.ZZ.mul_(self.memory).add_(torch.mm(Z.T, Z).mul_(new))
        self.weight = self.memory * self.weight + 1 - self.memory
        return Loadings(self.YZ / self.weight, self.ZZ / self.weight)

    def state(self) -> list:
        """Return the averages, to be kept."""
        return [self.weight, self.YZ, self.ZZ]

    def go_on(self, state: list, device: torch.device) -> None:
        """Take over averages that were kept."""
        self.weight, *sums = state
        self.YZ, self.ZZ = (torch.as_tensor(part, device=device) for part in sums)

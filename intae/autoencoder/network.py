"""The encoder as a network, and its training: as published, and with true proximal steps.

The network of equation 1: the authors' encoder, and the linear decoder beside it.

The published algorithm: Adam on everything, then the proximal step on W, batch by batch.

The network with a true proximal step for the decoder.

Adam rescales the gradient of W and the proximal map that follows does not know it, so the fixed
point of the published algorithm is no minimum of equation 3. Here Adam keeps the encoder, and W,
in which F is quadratic, takes proximal gradient steps of length 1/L on running averages of Z'Z and
Y'Z, with L = 2 x the largest eigenvalue of Z'Z. Each step lowers F + R at the averaged moments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .data import Cells
from .objective import Loadings, data_term
from .penalties import Penalty

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
    ValueError
        If the device is not known or not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        msg = f"device {device!r} is not known; use 'auto', 'cpu' or 'cuda'"
        raise ValueError(msg) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        msg = "device='cuda', but torch sees no GPU here; use device='auto' or 'cpu'"
        raise ValueError(msg)
    return chosen


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw all of torch's random numbers inside from the seed, and leave its state as it was."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def batches(n_cells: int, size: int) -> Iterator[np.ndarray]:
    """Yield the cells of each batch of an epoch, in an order drawn anew, each batch sorted.

    A last batch of a single cell, on which BatchNorm is not defined, joins the one before.
    """
    order = torch.randperm(n_cells).numpy()
    starts = list(range(0, n_cells, size))
    if len(starts) > 1 and n_cells - starts[-1] == 1:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], n_cells], strict=True):
        yield np.sort(order[start:stop])


@torch.no_grad()
def encode(encoder: nn.Module, Y: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the loadings of centred cells, in evaluation mode, float64."""
    encoder.eval()
    block = torch.as_tensor(Y.astype(np.float32), device=device)
    return encoder(block).cpu().numpy().astype(np.float64)


def network_loadings(
    encoder: nn.Module, cells: Cells, effects: np.ndarray, device: torch.device
) -> tuple[Loadings, float]:
    """Return the moments of the network's loadings over all cells, in evaluation mode.

    Parameters
    ----------
    effects
        Phi, genes x covariates; what it explains is taken off Y after encoding.

    Returns
    -------
    The moments, and the mean of |y_n - Phi x_n|^2.
    """
    YZ = ZZ = total = 0.0
    for _, Y, X in cells.blocks():
        Z = encode(encoder, Y, device)
        target = Y - X @ effects.T
        YZ, ZZ = YZ + target.T @ Z, ZZ + Z.T @ Z
        total += float((target**2).sum())
    return Loadings(YZ / cells.n_cells, ZZ / cells.n_cells), total / cells.n_cells


def load_encoder(state: dict[str, np.ndarray], device: torch.device) -> nn.Sequential:
    """Build the encoder that a state dict, as arrays, describes."""
    first, last = state["0.weight"], state["8.weight"]
    with seeded(0, torch.device("cpu")):  # the weights drawn here are replaced at once
        encoder = make_encoder(first.shape[1], last.shape[0], first.shape[0])
    encoder.load_state_dict({name: torch.as_tensor(np.asarray(v)) for name, v in state.items()})
    return encoder.to(device).eval()


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
    """

    encoder: nn.Sequential
    W: np.ndarray
    effects: np.ndarray


Look = Callable[[int, np.ndarray, Loadings, float], bool]


def train_adam(
    cells: Cells,
    penalty: Penalty,
    lambda0: float,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Look,
) -> Trained:
    """Train encoder and decoder as published (equation 7, with Adam in the gradient's place).

    Parameters
    ----------
    cells, penalty, lambda0
        Equation 3.
    look
        Called after every epoch with (epoch, W, moments of the loadings, mean |y|^2);
        training ends where it returns True.
    """
    n_terms = len(penalty.kinds)
    with seeded(seed, device):
        encoder = make_encoder(cells.n_genes, n_terms).to(device)
        W = nn.Parameter(random_decoder(cells.n_genes, n_terms).to(device))
        effects = nn.Parameter(torch.as_tensor(cells.effects, dtype=W.dtype, device=device))
        penalty = penalty.to_torch(device, W.dtype)
        optimizer = torch.optim.Adam([*encoder.parameters(), W, effects], lr=learning_rate)
        for epoch in range(1, epochs + 1):
            encoder.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                X = torch.as_tensor(cells.design[batch], dtype=W.dtype, device=device)
                Z = encoder(Y)
                F = data_term(Y - X @ effects.T, Z, W, lambda0)
                optimizer.zero_grad()
                F.backward()
                optimizer.step()
                with torch.no_grad():
                    W.copy_(penalty.prox(W, learning_rate))
            trained = Trained(encoder, _array(W), _array(effects))
            moments, total = network_loadings(encoder, cells, trained.effects, device)
            if look(epoch, trained.W, moments, total):
                break
    encoder.eval()
    return trained


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


MEMORY = 0.99  # of the running averages, a batch: they span about a hundred batches
WARM_UP = 1  # epochs of the encoder alone, lest terms go off that it has not learned yet


def train_proximal(
    cells: Cells,
    penalty: Penalty,
    lambda0: float,
    start: np.ndarray,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Look,
) -> Trained:
    """Train the encoder by Adam and the decoder by proximal steps.

    Parameters
    ----------
    start
        W at the start, genes x terms; terms that are off there stay off.
    look
        As in :func:`intae.autoencoder.network.train_adam`.
    """
    with seeded(seed, device):
        encoder = make_encoder(cells.n_genes, start.shape[1]).to(device)
        W = torch.as_tensor(start, dtype=torch.float32, device=device)
        effects = torch.as_tensor(cells.effects, dtype=W.dtype, device=device)
        penalty = penalty.to_torch(device, W.dtype)
        optimizer = torch.optim.Adam(encoder.parameters(), lr=learning_rate)
        average = RunningLoadings(MEMORY)
        for epoch in range(1, epochs + 1):
            encoder.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                X = torch.as_tensor(cells.design[batch], dtype=W.dtype, device=device)
                target = Y - X @ effects.T
                Z = encoder(Y)
                F = data_term(target, Z, W, lambda0)
                optimizer.zero_grad()
                F.backward()
                optimizer.step()
                if epoch <= WARM_UP:
                    continue
                with torch.no_grad():
                    moments = average.add(target, Z)
                    step = 1 / (2 * torch.linalg.eigvalsh(moments.ZZ)[-1])
                    W = penalty.prox(W - step * moments.gradient(W), step)
            weights = W.cpu().numpy().astype(np.float64)
            moments, total = network_loadings(encoder, cells, cells.effects, device)
            if look(epoch, weights, moments, total):
                break
    encoder.eval()
    return Trained(encoder, weights, cells.effects)


class RunningLoadings:
    """Exponential averages of Y'Z/n and Z'Z/n over batches, without bias at the start."""

    def __init__(self, memory: float):
        self.memory, self.weight = memory, 0.0
        self.YZ = self.ZZ = 0.0

    def add(self, Y: torch.Tensor, Z: torch.Tensor) -> Loadings:
        """Take in a batch and return the averages."""
        new = (1 - self.memory) / len(Y)
        self.YZ = self.memory * self.YZ + new * (Y.T @ Z)
        self.ZZ = self.memory * self.ZZ + new * (Z.T @ Z)
        self.weight = self.memory * self.weight + 1 - self.memory
        return Loadings(self.YZ / self.weight, self.ZZ / self.weight)


class MaskedNetwork(nn.Module):
    """The masked first layer, whose units are terms, and the decoder after it.

    Parameters
    ----------
    theta
        genes x terms: the probability that a weight is open. Only 0 and 1: a hard mask.
    """

    def __init__(self, theta: np.ndarray):
        super().__init__()
        n_genes, n_terms = theta.shape
        self.register_buffer("theta", torch.as_tensor(theta, dtype=torch.float32))
        self.hard = bool(np.isin(theta, (0, 1)).all())
        spread = self.theta.sum(0).clip(1) ** -0.5
        self.W = nn.Parameter(torch.randn(n_genes, n_terms) * spread)
        self.decoder = make_encoder(n_terms, n_genes)

    def weights(self) -> torch.Tensor:
        """Return the weights in force: W o M in training, W o E[M] in evaluation."""
        if self.hard or not self.training:
            return self.W * self.theta
        return self.W * torch.bernoulli(self.theta)

    def forward(self, Y: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of centred cells."""
        return self.decoder(Y @ self.weights())


def train_masked(
    cells: Cells,
    theta: np.ndarray,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Callable[[int, float], None],
) -> MaskedNetwork:
    """Minimise the mean of |y - g(z)|^2 by Adam; no penalty.

    Parameters
    ----------
    look
        Called after every epoch with (epoch, mean of |y - g(z)|^2 over all cells, in evaluation).

    Returns
    -------
    The network, in evaluation mode.
    """
    with seeded(seed, device):
        network = MaskedNetwork(theta).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
        for epoch in range(1, epochs + 1):
            network.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                loss = ((Y - network(Y)) ** 2).sum() / len(Y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            network.eval()
            error = sum(
                float(((Y - decode(network.decoder, Y @ weights_of(network), device)) ** 2).sum())
                for _, Y, _ in cells.blocks()
            )
            look(epoch, error / cells.n_cells)
    return network


def weights_of(network: MaskedNetwork) -> np.ndarray:
    """Return the weights in force in evaluation, genes x terms, float64."""
    return network.weights().detach().cpu().numpy().astype(np.float64)


@torch.no_grad()
def decode(decoder: nn.Module, Z: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the centred genes that the decoder, in evaluation mode, makes of loadings."""
    decoder.eval()
    block = torch.as_tensor(Z.astype(np.float32), device=device)
    return decoder(block).cpu().numpy().astype(np.float64)


def use_of_units(
    decoder: nn.Module, Y: np.ndarray, Z: np.ndarray, device: torch.device
) -> np.ndarray:
    """Return how much the mean of |y - g(z)|^2 rises when each unit is held at its mean.

    The size of a unit's weights says nothing where the decoder can scale it at will; this does.

    Parameters
    ----------
    Y, Z
        Centred genes and loadings of some cells.
    """
    whole = ((Y - decode(decoder, Z, device)) ** 2).sum()
    rises = np.empty(Z.shape[1])
    for k, mean in enumerate(Z.mean(0)):
        held = Z.copy()
        held[:, k] = mean
        rises[k] = ((Y - decode(decoder, held, device)) ** 2).sum() - whole
    return rises / len(Y)

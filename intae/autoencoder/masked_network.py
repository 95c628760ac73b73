"""The masked network and its training by Adam; needs torch.

Its first layer has a unit per term and a mask over its weights; the published encoder turned round
is its decoder.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import torch
from torch import nn

from .checkpoint import Checkpoint
from .data import Cells
from .feed import Feed
from .network import Draws, evaluate, fast_products, make_encoder, seeded
from .replayed import Replayed
from .training_step import Adam, Layers

log = logging.getLogger(__name__)


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

    def mask(self, random: torch.Generator | None = None) -> torch.Tensor:
        """Return the mask in force: M, drawn anew, in training, E[M] in evaluation."""
        if self.hard or not self.training:
            return self.theta
        return torch.bernoulli(self.theta, generator=random)

    def weights(self) -> torch.Tensor:
        """Return the weights in force: W under the mask."""
        return self.W * self.mask()

    def forward(self, Y: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of centred cells."""
        return self.decoder(Y @ self.weights())


@torch.no_grad()
def train_masked(
    cells: Cells,
    theta: np.ndarray,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint,
) -> tuple[MaskedNetwork, pd.DataFrame]:
    """Minimise the mean of |y - g(z)|^2 by Adam; no penalty.

    Parameters
    ----------
    checkpoint
        As in :func:`.network.train`.

    Returns
    -------
    The network, in evaluation mode, and a row per epoch: iteration, F (the mean of |y - g(z)|^2
    over all cells, in evaluation), seconds.
    """
    with seeded(seed):
        network = MaskedNetwork(theta).to(device)
        draws = Draws(seed, device)
    optimizer = Adam(network.parameters(), learning_rate)
    layers = Layers(network.decoder, draws.dropout)
    network.W.grad = torch.empty_like(network.W)
    feed, rows = Feed(cells, device), []

    def learn(*batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
        Y, _ = feed.take(*batch)
        mask = network.mask(draws.dropout)
        made = layers.forward(Y @ (network.W * mask))
        of_units = layers.backward(made.sub_(Y).mul_(2 / len(Y)), of_input=True)
        torch.mm(Y.T, of_units, out=network.W.grad).mul_(mask)
        optimizer.step()
        return ()

    learn = Replayed(learn, device, draws.dropout)
    if kept := checkpoint.read():
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        rows = kept["rows"]
        draws.go_on(kept["random"])
    for epoch in range(len(rows) + 1, epochs + 1):
        network.train()
        with fast_products(device):
            for batch in feed.epoch(batch_size, draws.order):
                learn(*batch)
        network.eval()
        error = sum(
            float(((Y - network(Y)) ** 2).sum(dtype=torch.float64)) for Y, _ in feed.blocks()
        )
        error /= cells.n_cells
        rows.append({"iteration": epoch, "F": error, "seconds": checkpoint.seconds()})
        log.info("epoch %d of %d: mean of |y - g(z)|^2 = %.4f", epoch, epochs, error)
        if epoch < epochs:
            checkpoint.offer(lambda: {
                "epoch": len(rows), "network": network.state_dict(), "rows": rows,
                "optimizer": optimizer.state_dict(), "random": draws.state(),
            })  # fmt: skip
    return network, pd.DataFrame(rows)


def weights_of(network: MaskedNetwork) -> np.ndarray:
    """Return the weights in force in evaluation, genes x terms, float64."""
    return network.weights().detach().cpu().numpy().astype(np.float64)


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
    whole = ((Y - evaluate(decoder, Z, device)) ** 2).sum()
    rises = np.empty(Z.shape[1])
    for k, mean in enumerate(Z.mean(0)):
        held = Z.copy()
        held[:, k] = mean
        rises[k] = ((Y - evaluate(decoder, held, device)) ** 2).sum() - whole
    return rises / len(Y)

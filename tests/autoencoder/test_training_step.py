"""What training repeats for every batch: the same numbers as torch's own, to the bit."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from intae.autoencoder.masked_network import MaskedNetwork
from intae.autoencoder.network import make_encoder
from intae.autoencoder.objective import data_term
from intae.autoencoder.training_step import Adam, Layers, residual_gradient


def gradients(network):
    return [parameter.grad.clone() for parameter in network.parameters()]


@pytest.mark.parametrize("n_cells", [7, 62])
def test_gradients_are_those_of_autograd(n_cells):
    torch.manual_seed(0)
    Y, W = torch.randn(n_cells, 30), nn.Parameter(torch.randn(30, 5))
    first = make_encoder(30, 5, hidden=20).train()
    second = copy.deepcopy(first)
    layers = Layers(second)
    for seed in (1, 2):  # of two batches, neither knows of the other
        torch.manual_seed(seed)
        first.zero_grad()
        W.grad = None
        Z = first(Y)
        data_term(Y, Z, W, 0.1).backward()
        torch.manual_seed(seed)
        with torch.no_grad():
            made = layers.forward(Y)
            of_fit, of_loadings = residual_gradient(Y, made, W, 0.1)
            layers.backward(of_loadings)
        assert torch.equal(made, Z)
        assert torch.equal(of_fit.T @ made, W.grad)
        for ours, theirs in zip(gradients(second), gradients(first), strict=True):
            assert torch.equal(ours, theirs) and theirs.any()
    for name, value in first.state_dict().items():  # running means among them
        assert torch.equal(second.state_dict()[name], value)


def test_the_gradient_of_the_input_is_that_of_autograd():
    """The masked network's first layer learns from it."""
    torch.manual_seed(0)
    network, Y = MaskedNetwork(np.full((30, 5), 0.5)).train(), torch.randn(40, 30)
    torch.manual_seed(1)
    ((Y - network(Y)) ** 2).sum().div(len(Y)).backward()
    theirs, layers = network.W.grad.clone(), Layers(network.decoder)
    torch.manual_seed(1)
    with torch.no_grad():
        mask = network.mask()
        made = layers.forward(Y @ (network.W * mask))
        of_units = layers.backward((made - Y) * (2 / len(Y)), of_input=True)
        assert torch.equal(Y.T @ of_units * mask, theirs)
    assert layers.backward(made) is None


def trained(make, stop_at=None):
    """Train an encoder for a while, perhaps with a stop at a checkpoint; return its tensors."""
    torch.manual_seed(0)
    encoder, unused = make_encoder(6, 3, hidden=8), nn.Parameter(torch.zeros(6, 0))
    cells, parameters = torch.randn(40, 6), [*encoder.parameters(), unused]
    optimizer = make(parameters)
    for i in range(20):
        if i == stop_at:
            kept = copy.deepcopy(optimizer.state_dict())
            optimizer = make(parameters)
            optimizer.load_state_dict(kept)
        for parameter in parameters:
            parameter.grad = None
        ((encoder(cells) - 1) ** 2).sum().backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in parameters]


def test_adam_is_that_of_torch_to_the_bit_also_after_a_stop():
    theirs = trained(lambda parameters: torch.optim.Adam(parameters, lr=0.01, fused=True))
    for stop_at in (None, 7):
        ours = trained(lambda parameters: Adam(parameters, 0.01), stop_at)
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_adam_takes_over_what_torch_kept():
    """Of a fit that was killed in an earlier version."""
    made = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    old, new = torch.optim.Adam([made[0]], lr=0.1, fused=True), Adam([made[1]], 0.1)
    for number in (1, 2):
        if number == 2:
            new.load_state_dict(copy.deepcopy(old.state_dict()))
            with torch.no_grad():
                made[1].copy_(made[0])
        for tensor in made:
            tensor.grad = torch.arange(3.0) + number
        old.step()
        if number == 2:
            new.step()
    assert torch.equal(*made)


def test_torch_waits_for_a_network_and_training_does_not_wait_for_its_compiler(root):
    code = (
        "import sys, intae; intae.Autoencoder(); assert 'torch' not in sys.modules\n"
        "import torch; from intae.autoencoder.training_step import Adam\n"
        "tensor = torch.nn.Parameter(torch.ones(3)); optimizer = Adam([tensor], 0.1)\n"
        "(tensor**2).sum().backward(); optimizer.step(); assert tensor[0] < 1\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)

"""The network's encoder as arrays: its last layer, and the signs of its loadings."""

import numpy as np
import torch
from torch import nn

from intae.autoencoder.network import arrays, last_layer, load_encoder, make_encoder, orient_encoder


def test_the_last_layer_is_the_last_by_number():
    assert last_layer(["0.weight", "8.bias", "10.bias", "9.weight"]) == "10"
    assert last_layer(make_encoder(5, 3).state_dict()) == "8"


def test_signs_are_turned_in_the_last_layer_alone():
    """Also where its number has two digits and others have one."""
    sign = np.array([1.0, -1.0, -1.0])
    hidden = [layer for _ in range(5) for layer in (nn.Linear(5, 5), nn.ELU())]
    for network in (make_encoder(5, 3).eval(), nn.Sequential(*hidden, nn.Linear(5, 3))):
        cells = torch.randn(20, 5)
        with torch.no_grad():
            before = network(cells).numpy()
            turned = orient_encoder(arrays(network), sign)
            network.load_state_dict({k: torch.as_tensor(v) for k, v in turned.items()})
            assert np.array_equal(network(cells).numpy(), before * sign.astype(np.float32))


def test_an_encoder_comes_back_from_its_arrays():
    encoder, cells = make_encoder(5, 3).eval(), torch.randn(20, 5)
    back = load_encoder(arrays(encoder), torch.device("cpu"))
    with torch.no_grad():
        assert torch.equal(back(cells), encoder(cells))

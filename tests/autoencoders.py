"""Autoencoders as the tests make them: quick, on one thread."""

import pytest
import torch

from intae import Autoencoder

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
SOLVERS = ("exact", "adam", "proximal")


def model(solver="exact", **kwargs):
    kwargs = {"epochs": 2, "threads": 1, "device": "cpu"} | kwargs
    return Autoencoder(solver, **kwargs)

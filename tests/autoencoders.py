"""Autoencoders as the tests make them: quick, on one thread."""

from intae import Autoencoder

SOLVERS = ("exact", "adam", "proximal")


def model(solver="exact", **kwargs):
    kwargs = {"epochs": 2, "threads": 1, "device": "cpu"} | kwargs
    return Autoencoder(solver, **kwargs)

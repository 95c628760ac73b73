"""The interpretable autoencoder: one objective (equation 3), three ways to its minimum."""

from .model import Autoencoder

__all__ = ["Autoencoder"]

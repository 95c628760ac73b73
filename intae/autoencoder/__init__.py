"""The interpretable autoencoder: one objective (equation 3), three ways to its minimum."""

from .masked import MaskedAutoencoder
from .model import Autoencoder

__all__ = ["Autoencoder", "MaskedAutoencoder"]

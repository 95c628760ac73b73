"""The interpretable autoencoder: one objective (equation 3), three ways to its minimum."""

from .masked import MaskedAutoencoder
from .model import Autoencoder
from .together import fit_together

__all__ = ["Autoencoder", "MaskedAutoencoder", "fit_together"]

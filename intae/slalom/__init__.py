"""The published f-scLVM: the slalom package, run as it is."""

from .model import Slalom

__all__ = ["Slalom"]

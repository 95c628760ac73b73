"""The exact f-scLVM, at a cost that does not grow with the cells."""

from .model import FSCLVM

__all__ = ["FSCLVM"]

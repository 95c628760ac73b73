"""PLIER: non-negative factors near few gene sets, on second moments alone."""

from .model import PLIER

__all__ = ["PLIER"]

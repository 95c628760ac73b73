"""The checks that hold the paper's claims against a run, a module per part of the paper.

A check is a function of the run, the data set and the arguments that a claim gives it in
`paper.yaml`; its decorator keeps, under its name, the rule that it judges by.
"""

from . import methods, runtime, separation, terms, training, trust  # noqa: F401  fill CHECKS
from .register import CHECKS

__all__ = ["CHECKS"]

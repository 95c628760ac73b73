"""What peers share: their packages imported, chance from one seed, time watched, output kept.

The packages print, draw from global generators and know no limit of time. Here their output goes to
the log, the generators are put back as they were, and an epoch is the place where a budget ends a
fit.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import random
import time
import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pandas as pd

log = logging.getLogger(__name__)

LOG_EVERY = 5.0  # seconds between two lines of progress


def import_peer(package: str, model: str) -> ModuleType:
    """Import the package of a peer, its warnings left out.

    Parameters
    ----------
    package
        The package, or a module of it.
    model
        The class of intae that needs it.

    Raises
    ------
    ImportError
        If it cannot be imported; says what to install.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(package)
    except ImportError as error:
        msg = (
            f"intae.{model} needs the package {package.partition('.')[0]}, which cannot be "
            f"imported ({error}); install the extra intae[peers] (make peers does)"
        )
        raise ImportError(msg) from error


class BudgetOver(Exception):
    """Raised after an epoch, to leave a package's own loop."""


class Watch:
    """Times the epochs of a fit, tells of them in the log, and says when the budget is over.

    Parameters
    ----------
    name
        Of the model, for the log.
    budget
        Wall time in seconds; None: no limit.
    epochs
        Number of epochs that the whole fit has at most.

    Attributes
    ----------
    over
        Whether the budget ended the fit.
    """

    def __init__(self, name: str, budget: float | None, epochs: int):
        self.name, self.budget, self.epochs = name, budget, epochs
        self.start = self.shown = time.perf_counter()
        self.rows: list[tuple[float, float]] = []
        self.over = False

    def epoch(self, loss: float) -> bool:
        """Note that an epoch has ended; return whether the budget is over."""
        now = time.perf_counter()
        self.rows.append((now - self.start, float(loss)))
        if now - self.shown > LOG_EVERY:
            self.shown = now
            log.info("%s: epoch %d of at most %d, loss %.4g, %.0f s so far", self.name,
                     len(self.rows), self.epochs, loss, now - self.start)  # fmt: skip
        left = self.epochs - len(self.rows)
        self.over = self.budget is not None and left > 0 and now - self.start >= self.budget
        return self.over

    def history(self) -> pd.DataFrame:
        """Return a row an epoch: iteration, loss, seconds."""
        table = pd.DataFrame(self.rows, columns=["seconds", "loss"])
        table.insert(0, "iteration", np.arange(1, len(table) + 1))
        return table

    def projected_seconds(self) -> float:
        """Return the seconds that all epochs would take at the pace of those done."""
        done = len(self.rows)
        seconds = self.rows[-1][0] if done else 0.0
        if not self.over:
            return seconds
        projected = seconds / done * self.epochs
        log.info("%s: budget of %g s is over after %d epochs; %d would take %.0f s",
                 self.name, self.budget, done, self.epochs, projected)  # fmt: skip
        return projected


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators inside the block, and put them back."""
    import torch

    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])


class _LogLines(io.TextIOBase):
    """A text stream whose lines go to the log."""

    def __init__(self) -> None:
        self.rest = ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            log.debug("%s", line)
        return len(text)


@contextlib.contextmanager
def output_to_log() -> Iterator[None]:
    """Send what a package prints, progress bars included, to the log's details."""
    with (
        contextlib.redirect_stdout(_LogLines()),
        contextlib.redirect_stderr(_LogLines()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def choose_device(device: str | None) -> str:
    """Return the device asked for; by default a GPU where there is one."""
    import torch

    return device or ("cuda" if torch.cuda.is_available() else "cpu")

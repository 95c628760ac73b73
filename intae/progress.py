"""Progress: the lines that long steps log, shown when somebody asks for them.

Whatever takes more than a few seconds logs how far it is, at the level INFO of its module. There is
no other way: the workflow sends these lines to the file of a step, `verbose` to the screen.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import ExitStack

EVERY = 5.0  # seconds between two lines of progress


class Ticker:
    """Says when the next line of progress is due: not before `every` seconds have gone by."""

    def __init__(self, every: float = EVERY):
        self.every = every
        self.last = time.monotonic()

    def due(self) -> bool:
        """Say whether a line is due, and count from now if it is."""
        now = time.monotonic()
        if now - self.last < self.every:
            return False
        self.last = now
        return True


class _Screen(logging.Handler):
    """Writes each line to the screen, after the seconds since the handler was made."""

    def __init__(self):
        super().__init__()
        self.start = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; sys.stderr is looked up anew, since notebooks and tests exchange it."""
        seconds = time.monotonic() - self.start
        print(f"[{seconds:6.1f} s] {record.getMessage()}", file=sys.stderr, flush=True)


def verbose(on: bool = True) -> ExitStack:
    """Show how far long steps are, from now on or within a `with` block.

    Where the logging of Python is set up already, its handlers get the lines.

    Parameters
    ----------
    on
        False shows warnings only, as before.

    Returns
    -------
    A context manager, which puts back at its end what was before; it need not be used.

    Examples
    --------
    >>> with intae.verbose():
    ...     model = intae.Autoencoder().fit(data)
    """
    logger, undo = logging.getLogger(__package__), ExitStack()
    undo.callback(logger.setLevel, logger.level)
    old = [handler for handler in logger.handlers if isinstance(handler, _Screen)]
    for handler in old:
        logger.removeHandler(handler)
        undo.callback(logger.addHandler, handler)
    logger.setLevel(logging.INFO if on else logging.NOTSET)
    if on and not logger.hasHandlers():
        screen = _Screen()
        logger.addHandler(screen)
        undo.callback(logger.removeHandler, screen)
    return undo

"""Logging for scripts: everything a step says goes to its log file, errors in plain words."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..errors import IntaeError

# What a user can fix is told in one sentence: what the library itself refuses, and files that
# cannot be read or written. Anything else is a fault of the program and keeps its traceback.
USER_ERRORS = (IntaeError, OSError)


@contextlib.contextmanager
def log_to(path: str | Path) -> Iterator[None]:
    """Send logging, stdout and stderr of the block to a file, and end the process on an error.

    Parameters
    ----------
    path
        The log file; its folder is made. It is replaced.

    Raises
    ------
    SystemExit
        With status 1 if the block raises; the error is the last thing in the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1, encoding="utf-8") as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        warnings.filterwarnings("ignore", category=FutureWarning)
        try:
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield
        except USER_ERRORS as error:
            print(f"Error: {error}", file=file)
            sys.exit(1)
        except Exception:
            traceback.print_exc(file=file)
            sys.exit(1)
        finally:
            logging.captureWarnings(False)
            root.removeHandler(handler)
            root.setLevel(before)

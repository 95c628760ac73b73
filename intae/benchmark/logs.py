"""Logging for scripts: everything a step says goes to its log file, errors in plain words."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import IntaeError

# What a user can fix is told in one sentence: what the library itself refuses, and files that
# cannot be read or written. Anything else is a fault of the program and keeps its traceback.
USER_ERRORS = (IntaeError, OSError)
# What Slurm writes into a job's log where it ends it; its status is often only FAILED.
SLURM_SAYS = {
    "memory": r"(?i)exceeded (job )?memory limit|oom[-_ ]kill|out of memory",
    "time": r"DUE TO TIME LIMIT",
}


@contextlib.contextmanager
def log_to(path: str | Path, asked: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Send logging, stdout and stderr of the block to a file, and end the process on an error.

    Parameters
    ----------
    path
        The log file; its folder is made. It is replaced.
    asked
        What the step asked a cluster for: `mem_mb` and `runtime`. In a job of Slurm it stands
        first in the file, since a job over its memory is ended without a word.

    Raises
    ------
    SystemExit
        With status 1 if the block raises, and 143 if the process is told to end (SIGTERM, as
        Slurm does at the time limit); the error is the last thing in the file.
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
        limits = _limits(asked or {})
        if limits:
            print(f"In job {os.environ['SLURM_JOB_ID']} of Slurm, which allows {limits}", file=file)
        began = time.monotonic()

        def end(number: int, frame: object) -> None:
            seconds = time.monotonic() - began
            over = f": at its limit (Slurm allows {limits}), or by hand" if limits else ""
            print(f"Error: told to end (SIGTERM) after {seconds:.0f} s{over}", file=file)
            sys.exit(128 + number)

        # only the main thread may say what a signal does
        told = threading.current_thread() is threading.main_thread()
        if told:
            handler_before = signal.signal(signal.SIGTERM, end)
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
            if told:
                signal.signal(signal.SIGTERM, handler_before)
            logging.captureWarnings(False)
            root.removeHandler(handler)
            root.setLevel(before)


def _limits(asked: Mapping[str, Any]) -> str:
    """Say what a job of Slurm may take; nothing elsewhere."""
    if "SLURM_JOB_ID" not in os.environ:
        return ""
    memory, minutes = asked.get("mem_mb"), asked.get("runtime")
    said = [f"{memory} MB" if memory else "", f"{minutes} min" if minutes else ""]
    return " and ".join(filter(None, said))


def ended_by_slurm(folder: str | Path, since: float) -> list[str]:
    """Say which jobs Slurm ended for their memory or time, from the logs that it keeps of failures.

    Parameters
    ----------
    folder
        Of Slurm's logs: `rule_NAME/WILDCARDS/JOB.log`.
    since
        Time (of the epoch) from which on logs count.
    """
    said = []
    for path in sorted(Path(folder).glob("rule_*/**/*.log")):
        if path.stat().st_mtime < since:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        over = [what for what, pattern in SLURM_SAYS.items() if re.search(pattern, text)]
        if over:
            said.append(f"Slurm ended job {path.stem}, over its {' and '.join(over)}: {path}")
    return said

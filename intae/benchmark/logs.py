"""Logging for scripts: everything a step says goes to its log file, errors in plain words."""

from __future__ import annotations

import contextlib
import errno
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
from typing import Any, TextIO

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
    with _opened(Path(path)) as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        logging.getLogger("fontTools").setLevel(logging.WARNING)  # tells of each table of a font
        logging.captureWarnings(True)
        warnings.filterwarnings("ignore", category=FutureWarning)
        limits = _limits(asked or {})
        if limits:
            print(f"In job {os.environ['SLURM_JOB_ID']} of Slurm, which allows {limits}", file=file)
        began = time.monotonic()

        def end(number: int, frame: object) -> None:
            seconds = time.monotonic() - began
            over = f": at its limit (Slurm allows {limits}), or by hand" if limits else ""
            _tell(f"Error: told to end (SIGTERM) after {seconds:.0f} s{over}", file)
            sys.exit(128 + number)

        # only the main thread may say what a signal does
        told = threading.current_thread() is threading.main_thread()
        if told:
            handler_before = signal.signal(signal.SIGTERM, end)
        try:
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield
        except Exception as error:
            full = _without_room(error)
            if full:
                _tell(f"Error: {full}; what was written before is whole: start again", file)
            elif isinstance(error, USER_ERRORS):
                _tell(f"Error: {error}", file)
            else:
                _tell(traceback.format_exc().rstrip(), file)
            if full and full is not error:
                os._exit(1)  # HDF5 crashes at its own end where it could not write a file
            sys.exit(1)
        finally:
            if told:
                signal.signal(signal.SIGTERM, handler_before)
            logging.captureWarnings(False)
            root.removeHandler(handler)
            root.setLevel(before)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a log; on a disk that is full or read-only say so in one line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", buffering=1, encoding="utf-8")
    except OSError as error:
        print(f"Error: the log cannot be written: {error}", file=sys.stderr)
        sys.exit(1)
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # what is left of it has no room
            file.close()


def _tell(text: str, file: TextIO) -> None:
    """Write to a log, or where it has no room left, to what the process was given."""
    try:
        print(text, file=file)
    except OSError:
        print(text, file=sys.__stderr__)


def _without_room(error: BaseException | None) -> OSError | None:
    """Return the error of a full or read-only disk that another came from: HDF5 has its own."""
    without = errno.ENOSPC, errno.EDQUOT, errno.EROFS
    while error is not None:
        told = re.search(r"errno = (\d+), error message", str(error))
        if told and int(told[1]) in without:
            return OSError(int(told[1]), os.strerror(int(told[1])))
        if isinstance(error, OSError) and error.errno in without:
            return error
        error = error.__cause__ or error.__context__
    return None


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

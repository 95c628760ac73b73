"""What a run says on the console: how far it is, the time left, and what failed.

Snakemake writes some twenty lines a step; they stay in its log file. Its options can hide them
only together with errors (`--quiet rules`), and know no time left. The records and their fields are
those of Snakemake's interface for logger plugins; a plugin proper would have to be installed beside
Snakemake, also where this workflow is used without an installation.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

EVERY = 10.0  # seconds between two lines of progress at least, more in a long run
LONGER = 0.02  # of the time so far
HIDDEN = {
    "job_info", "job_started", "job_finished", "shellcmd", "resources_info", "group_info",
    "workflow_started",
}  # fmt: skip
CHATTER = ("Select jobs to execute", "Execute ", "Assuming unrestricted", "Using shell",
           "Provided cores", "Rules claiming more", "Conda environments: ignored")  # fmt: skip


class Console(logging.Filter):
    """Follows the steps of a run by their records, and lets few of these through.

    Attributes
    ----------
    failed
        A dict a step that failed: dataset, method, seed, step, why, log.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        super().__init__()
        self.now = now
        self.failed: list[dict[str, str]] = []
        self._waiting: Counter[str] = Counter()  # rule -> its steps that have not ended
        self._steps: dict[Any, tuple[str, dict[str, str]]] = {}
        self._running: dict[Any, float] = {}
        self._took: defaultdict[str, list[float]] = defaultdict(list)
        self._began = self._told = now()

    def filter(self, record: logging.LogRecord) -> bool:
        """Take note of a record, and say whether it is shown."""
        event = str(getattr(record, "event", None) or "")
        if event == "run_info":
            stats = {name: n for name, n in record.stats.items() if name != "total"}
            if not self._steps:  # told again at the end
                self._waiting = Counter(stats)
                self._began = self._told = self.now()
            return not self._steps
        if event == "job_info":
            self._steps[record.jobid] = record.rule_name, dict(record.wildcards or {})
            self._running[record.jobid] = self.now()
        elif event == "job_finished":
            began = self._running.pop(record.job_id, None)
            rule = self._steps.get(record.job_id, ("", {}))[0]
            if began is not None:
                self._took[rule].append(self.now() - began)
                self._waiting[rule] -= 1
        elif event == "job_error":
            self._running.pop(record.jobid, None)
            self._fail(record)
        elif event == "progress":
            return self._is_time(record)
        if event in HIDDEN:
            return False
        text = str(record.msg or "")
        return record.levelno > logging.INFO or not text.startswith(CHATTER)

    def seconds_left(self) -> float | None:
        """Return about how long the rest takes at the pace so far; None where nothing is known.

        A step takes as long as others of its rule did, or as all did on average where none of its
        rule has ended; as many run at a time as did so far.
        """
        took = [seconds for several in self._took.values() for seconds in several]
        elapsed = self.now() - self._began
        if len(took) < 3 or elapsed <= 0:
            return None
        mean = sum(took) / len(took)
        of_rule = {rule: sum(t) / len(t) for rule, t in self._took.items()}
        ahead = sum(n * of_rule.get(rule, mean) for rule, n in self._waiting.items() if n > 0)
        running = sum(self.now() - began for began in self._running.values())
        at_a_time = max(1.0, (sum(took) + running) / elapsed)
        return max(0.0, ahead - running) / at_a_time

    def progress(self, done: int, total: int) -> str:
        """Return the line of progress."""
        left = self.seconds_left() if done < total else None
        rest = f", about {in_words(left)} left" if left is not None else ""
        now = Counter(self._steps[job][0] for job in self._running if job in self._steps)
        at = ", ".join(f"{n} {rule}" if n > 1 else rule for rule, n in now.most_common(3))
        spent = in_words(self.now() - self._began)
        return f"{done} of {total} steps in {spent}{rest}" + (f" (now: {at})" if at else "")

    def _is_time(self, record: logging.LogRecord) -> bool:
        now = self.now()
        pause = max(EVERY, LONGER * (now - self._began))
        if record.done < record.total and now - self._told < pause:
            return False
        self._told = now
        return True

    def _fail(self, record: logging.LogRecord) -> None:
        rule, wildcards = self._steps.get(record.jobid, (record.rule_name, {}))
        logs = [path.split(" (")[0] for path in record.log or ()]
        of = Path(logs[0]).parent.name if logs and rule.startswith(("compare_", "figures")) else ""
        row = {name: str(wildcards.get(name, "")) for name in ("dataset", "method", "seed")}
        row["dataset"] = row["dataset"] or of
        row |= {"step": rule, "why": last_line(logs), "log": logs[0] if logs else ""}
        # a step that is tried again counts once
        same = ("dataset", "method", "seed", "step", "log")
        self.failed = [f for f in self.failed if any(f[key] != row[key] for key in same)] + [row]


class _Few(logging.Formatter):
    """Snakemake's formatter, with a line of progress that says more."""

    def __init__(self, usual: logging.Formatter | None, console: Console):
        super().__init__()
        self.usual, self.console = usual or logging.Formatter(), console

    def format(self, record: logging.LogRecord) -> str:
        event = str(getattr(record, "event", None) or "")
        if event == "progress":
            return self.console.progress(record.done, record.total)
        if event == "run_info":
            return f"{record.stats.get('total', 0)} steps to run"
        return self.usual.format(record)


def follow(workflow: Any) -> Console:
    """Follow a run of Snakemake, and say little of it; a dry run and `--verbose` say all."""
    console = Console()
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == "DefaultStreamHandler":
            usual = handler.formatter
            few = _Few(usual, console)

            def is_shown(record: logging.LogRecord, handler=handler, usual=usual, few=few) -> bool:
                shown = console.filter(record)
                # whether it is a dry run is not known before the rules are read
                everything = workflow.dryrun or workflow.output_settings.verbose
                handler.setFormatter(usual if everything else few)
                return everything or shown

            handler.addFilter(is_shown)
    return console


def in_words(seconds: float) -> str:
    """Return a duration in words: seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def last_line(logs: list[str]) -> str:
    """Return the last line of a step's log, which says why it failed."""
    for path in logs:
        try:
            lines = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            continue
        said = [line.strip() for line in lines if line.strip()]
        if said:
            return said[-1].removeprefix("Error: ")
    return "ended without a word, as a step does that is killed"

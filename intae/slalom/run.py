"""The published slalom package (1.0.0.dev11), run as it is in an environment newer than it is.

The import. Its code is run as it was published. What changed since 2017 is around it: SciPy no
longer passes on NumPy's functions (slalom calls `scipy.log`, `scipy.dot`, `scipy.random`),
scikit-learn dropped the name `RandomizedPCA` (imported there, never used), and `pkg_resources`,
still part of setuptools below 81, warns whenever it is imported. The missing names are there while
the package is imported and are taken away again; afterwards only slalom's own modules see a `scipy`
that still has them.

The run. slalom's own loop has no limit of time. It prints what it does, and draws from NumPy's
global random state, which it seeds itself. Here its sweeps are timed and a budget can end them,
what it prints goes to the log, and the random state is put back as it was.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import scipy
import sklearn.decomposition

from ..base import limit_threads
from ..progress import Ticker

log = logging.getLogger(__name__)


class _OldSciPy(ModuleType):
    """SciPy as slalom knew it: what SciPy lacks is looked up in NumPy."""

    def __getattr__(self, name: str) -> Any:
        return _old_name(name)


def _old_name(name: str) -> Any:
    try:
        return getattr(scipy, name)
    except AttributeError:
        pass
    if name in ("randn", "rand"):  # SciPy passed on these two of numpy.random as well
        return getattr(np.random, name)
    return getattr(np, name)


def import_slalom() -> ModuleType:
    """Import the slalom package, or return it when it is imported already.

    Returns
    -------
    The package; `slalom.initFA` and `slalom.CSparseFA` work.

    Raises
    ------
    ImportError
        If it is not installed, or something it needs is not; says what to install.
    """
    if sys.modules.get("slalom") is not None:
        return sys.modules["slalom"]
    # Loaded first, so that none of them sees the changed scipy below.
    for name in ("matplotlib", "matplotlib.lines", "sklearn.linear_model", "sklearn.metrics"):
        importlib.import_module(name)
    added = [n for n in dir(np) if not n.startswith("_") and not _has(scipy, n)]
    before = set(sys.modules)
    try:
        for name in added:
            setattr(scipy, name, getattr(np, name))
        sklearn.decomposition.RandomizedPCA = sklearn.decomposition.PCA
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources, and escapes such as '\d' in slalom
            package = importlib.import_module("slalom")
    except ImportError as error:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "slalom":  # no half-imported package stays behind
                del sys.modules[name]
        msg = (
            f"the slalom package cannot be imported ({error}); install slalom==1.0.0.dev11 and "
            "'setuptools<81' (the extra intae[slalom] does), or use intae.FSCLVM instead"
        )
        raise ImportError(msg) from error
    finally:
        for name in added:
            if hasattr(scipy, name):
                delattr(scipy, name)
        if hasattr(sklearn.decomposition, "RandomizedPCA"):
            del sklearn.decomposition.RandomizedPCA
    old = _OldSciPy("scipy")
    for name, module in list(sys.modules.items()):
        if name == "slalom" or name.startswith("slalom."):
            for alias, value in list(vars(module).items()):
                if value is scipy:
                    setattr(module, alias, old)
    return package


def _has(module: ModuleType, name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns about some names as they are looked up
        try:
            return hasattr(module, name)
        except Exception:
            return False


@dataclass
class SlalomRun:
    """What came of a run.

    Attributes
    ----------
    fa
        slalom's object, trained.
    history
        One row per sweep: iteration, seconds since the start of the run, sweep_seconds (its own),
        n_active.
    converged
        Whether slalom's own rule ended it.
    over
        Whether the budget ended it.
    seconds
        Wall time of the run.
    """

    fa: Any
    history: pd.DataFrame
    converged: bool
    over: bool
    seconds: float


def projected_seconds(
    seconds: float, history: pd.DataFrame, total: int, expected_active: Sequence[int] | None
) -> float:
    """Return the seconds that a run would have taken in all that its budget ended.

    Parameters
    ----------
    seconds, history
        Of the run, as far as it came.
    total
        Sweeps of the whole.
    expected_active
        Number of terms on in each of them; None: those on now stay on.
    """
    done = len(history)
    left = total - done
    if left <= 0:
        return seconds
    recent = history.iloc[-max(1, min(20, done // 2)) :]
    per_term = recent["sweep_seconds"].mean() / recent["n_active"].mean()
    active = np.full(left, history["n_active"].iloc[-1], dtype=float)
    if expected_active is not None:
        known = np.asarray(expected_active, dtype=float)[done:total]
        active[: len(known)] = known
        if 0 < len(known) < left:
            active[len(known) :] = known[-1]
    projected = seconds + float(per_term * active.sum())
    log.info(
        "%d of %d sweeps are done; the whole is projected to take %.0f s", done, total, projected
    )
    return projected


def run_slalom(
    Y: np.ndarray,
    terms: Iterable[str],
    annotations: np.ndarray,
    covariates: np.ndarray | None,
    *,
    n_dense: int,
    n_sparse: int,
    max_iter: int,
    budget: float | None,
    seed: int,
    threads: int | None,
) -> SlalomRun:
    """Run slalom on a matrix until its own rule, `max_iter` or the budget stops it.

    Parameters
    ----------
    Y
        cells x genes, log-normalised.
    terms
        Names of the annotated terms.
    annotations
        genes x annotated terms, 0/1, as floats.
    covariates
        cells x covariates; None without them.
    n_dense, n_sparse, max_iter, budget, seed, threads
        As of :class:`intae.Slalom`.

    Raises
    ------
    ImportError
        If slalom is not installed.
    """
    slalom = import_slalom()
    with limit_threads(threads), _global_state(), _stdout_to_log() as lines:
        start = time.perf_counter()
        with _seeded(seed):
            fa = slalom.initFA(
                Y,
                # No name may look like one of slalom's own, "hidden0" or "bias".
                np.array([f"term {name}" for name in terms]),
                annotations,
                nHidden=n_dense,
                nHiddenSparse=n_sparse,
                pruneGenes=False,
                minGenes=0,
                do_preTrain=False,
                covariates=covariates,
            )
        clock = _Clock(fa, start, budget, max_iter)
        with contextlib.suppress(_BudgetOver):
            fa.train(nIterations=max_iter)
        seconds = time.perf_counter() - start
    converged = any(line.startswith("Converged") for line in lines)
    return SlalomRun(fa, clock.history(), converged, clock.over, seconds)


class _BudgetOver(Exception):
    """Raised after a sweep, to leave slalom's own loop."""


class _Clock:
    """Times each sweep of a slalom object, from between its loop and its `update`."""

    def __init__(self, fa: Any, start: float, budget: float | None, max_iter: int) -> None:
        self.fa, self.start, self.budget, self.max_iter = fa, start, budget, max_iter
        self.over = False
        self.rows: list[tuple[float, float, int]] = []
        self.ticker = Ticker()
        self.sweep = fa.update
        fa.update = self.update

    def update(self) -> None:
        before = time.perf_counter()
        self.sweep()
        now = time.perf_counter()
        active = int(self.fa.doUpdate[self.fa.nKnown :].sum())
        self.rows.append((now - self.start, now - before, active))
        if self.ticker.due():
            log.info("slalom: sweep %d, %.2f s each, %d terms on, %.0f s so far",
                     len(self.rows), now - before, active, now - self.start)  # fmt: skip
        if self.budget is None or len(self.rows) == self.max_iter:
            return
        if now - self.start >= self.budget:
            self.over = True
            raise _BudgetOver

    def history(self) -> pd.DataFrame:
        table = pd.DataFrame(self.rows, columns=["seconds", "sweep_seconds", "n_active"])
        table.insert(0, "iteration", np.arange(1, len(table) + 1))
        return table


@contextlib.contextmanager
def _global_state() -> Iterator[None]:
    """Put NumPy's global random state, which slalom draws from, back as it was."""
    state = np.random.get_state()  # noqa: NPY002 - slalom knows no other
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's global state, and let slalom's own `seed(222)` set it to `seed` as well."""
    reseed = np.random.seed
    reseed(seed)
    np.random.seed = lambda _=None: reseed(seed)
    try:
        yield
    finally:
        np.random.seed = reseed


class _LogLines(io.TextIOBase):
    """A text stream whose lines go to the log, and are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.rest = ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.lines.append(line)
            log.debug("slalom: %s", line)
        return len(text)


@contextlib.contextmanager
def _stdout_to_log() -> Iterator[list[str]]:
    stream = _LogLines()
    with contextlib.redirect_stdout(stream):
        yield stream.lines

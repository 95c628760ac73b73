"""Claims about time."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..run import NotRun, Run, if_run
from ..words import duration, listing, mean_of, number
from .register import AGREES, DIFFERS, PARTLY, Finding, all_or_some, at_most, check, worst

FACTOR, FACTOR_PARTLY = 3, 10
LARGE = 100_000  # cells


@check(
    f"Agrees within a factor of {FACTOR}, in minutes per cell, since the machine is another; "
    f"partly within {FACTOR_PARTLY}. Where the data are not as many cells as the paper's, partly "
    "at best; not judged where the numbers of genes are far apart."
)
def runtime(
    run: Run, dataset: str, *, methods: Sequence[str], minutes: float, n_cells: int, n_genes: int
) -> Finding:
    """Compare the time of a fit with the paper's, cell by cell."""
    run.require_genes(dataset, n_genes)
    tables = _runtimes(run, dataset, methods)
    ours = run.n_cells(dataset)
    found, factors = [], []
    for method, table in tables.items():
        time = (table["seconds"] / 60).agg(["mean", "min", "max"])
        note = "projected, " if table["projected"].any() else ""
        if len(table) > 1:
            note += f"{number(time['min'])} to {number(time['max'])} over {len(table)} seeds, "
        found.append(f"{run.label(method)} {number(time['mean'])} min ({note}{ours:,} cells)")
        factors.append(time["mean"] / ours * n_cells / minutes)
    factor = sum(factors) / len(factors)
    verdict = at_most(max(factor, 1 / factor), FACTOR, FACTOR_PARTLY)
    why = (
        f"A cell costs {1 / factor:.2g} times less here than in the paper"
        if factor < 1
        else f"A cell costs {factor:.2g} times more here than in the paper"
    )
    why += "; the paper names neither its machine nor how long it trained."
    if not 0.9 <= ours / n_cells <= 1.1:
        verdict = worst(verdict, PARTLY)
        why += f" The paper's data are about {n_cells:,} cells, so it is partly at best."
    return Finding("; ".join(found), verdict, why)


@check(
    f"Agrees if the ratio is within a factor of {FACTOR} of the paper's, whatever the number of "
    f"cells; partly within {FACTOR_PARTLY}. Not judged where the numbers of genes are far apart."
)
def speedup(
    run: Run,
    dataset: str,
    *,
    slow: Sequence[str],
    fast: str,
    ratio: float,
    n_genes: int,
    epochs: int | None = None,
    engine: str = "fsclvm",
) -> Finding:
    """Compare how many times longer slalom takes; `epochs` scales the fast method's time."""
    run.require_genes(dataset, n_genes)
    tables = _runtimes(run, dataset, slow)
    quick = run.rows("runtime", dataset, fast)
    seconds = quick["seconds"] * (epochs / quick["iterations"] if epochs else 1)
    ratios = {m: table["seconds"].mean() / seconds.mean() for m, table in tables.items()}
    projected = any(table["projected"].any() for table in tables.values())
    found = listing(
        f"{number(value)} times ({run.label(m)}{_spread(tables[m]['seconds'], seconds)})"
        for m, value in ratios.items()
    )
    found += ", slalom's time projected" if projected else ""
    mean = sum(ratios.values()) / len(ratios)
    devices = listing(quick["device"].astype(str).unique())
    why = f"Both timed in this run; the autoencoder on {devices}."
    if epochs:
        why += f" The autoencoder's time is scaled to {epochs} epochs."
    if run.is_on(dataset, engine):
        own = run.rows("runtime", dataset, engine)["seconds"].mean() / quick["seconds"].mean()
        why += (
            f" {run.label(engine)} on slalom's own path, by the exact engine, takes {own:.2g} "
            "times as long as the autoencoder"
        )
        small = own < mean / 10
        why += ": most of the ratio is slalom's implementation, not its model." if small else "."
    return Finding(found, at_most(max(mean / ratio, ratio / mean), FACTOR, FACTOR_PARTLY), why)


@check(
    f"Agrees if, at {LARGE:,} cells, the slow methods take more than a week and the fast one less "
    "than a day, each projected from this run; partly if the slow ones take more than a day and "
    "ten times as long as the fast one."
)
def outgrows(run: Run, dataset: str, *, slow: Sequence[str], fast: str, n_genes: int) -> Finding:
    """Project runtimes to a large data set."""
    run.require_genes(dataset, n_genes)
    tables = _runtimes(run, dataset, slow)
    tables[fast] = run.rows("runtime", dataset, fast)
    growth = LARGE / run.n_cells(dataset)
    days, told, assumed = {}, [], []
    for method, table in tables.items():
        slope = _slope(run, dataset, method)
        if slope is None:
            assumed.append(run.label(method))
        each = table["seconds"] * growth ** (1.0 if slope is None else slope) / 86_400
        days[method] = each.mean()
        told.append(f"{run.label(method)} {mean_of(each, duration)}")
    found = listing(told)
    quick = days.pop(fast)
    least = min(days.values())
    verdict = (
        AGREES if least > 7 and quick < 1
        else PARTLY if least > 1 and least > 10 * quick
        else DIFFERS
    )  # fmt: skip
    why = f"From {run.n_cells(dataset):,} cells, with the slope measured in this run (scaling.csv)."
    if assumed:
        why = (
            f"From {run.n_cells(dataset):,} cells; the time of {listing(assumed)} is taken to grow "
            "in proportion, and nothing to run out of memory."
        )
    return Finding(f"at {LARGE:,} cells: {found}", verdict, why)


@check(
    "Agrees if the method ran on more than one kind of device and was at least 1.5 times faster on "
    "the GPU; differs if it was not faster."
)
def gpu_speedup(run: Run, dataset: str | None, *, method: str) -> Finding:
    """Compare a method's time on a GPU and on the CPU, on the same data."""
    runtime = run.tables["runtime"]
    same = [m for m in run.methods if _but_device(run, m) == _but_device(run, method)]
    part = runtime[runtime["method"].isin([method, *same])]
    kind = part["device"].astype(str).str.split(":").str[0]
    fits = part.groupby([part["dataset"], kind])["seconds"]
    times = fits.mean().unstack()
    both = times.dropna() if {"cpu", "cuda"} <= set(times.columns) else times.iloc[:0]
    if not len(both):
        used = listing(sorted(set(kind))) if len(part) else "no device"
        msg = (
            f"{method} ran on {used} only. On a machine with a GPU it uses the GPU; add an entry "
            "with `params: {device: cpu}` beside it."
        )
        raise NotRun(msg)
    ratio = both["cpu"] / both["cuda"]
    found = listing(
        f"{number(value)} times "
        f"({name}{_spread(*(fits.get_group((name, device)) for device in ('cpu', 'cuda')))})"
        for name, value in ratio.items()
    )
    return Finding(
        found, all_or_some(ratio >= 1.5), "Wall time of the same fit on CPU over that on GPU."
    )


def _spread(slow: pd.Series, fast: pd.Series) -> str:
    """Write the least and the largest ratio of times, where there are several."""
    low, high = number(slow.min() / fast.max()), number(slow.max() / fast.min())
    return "" if low == high else f", {low} to {high} over fits"


def _but_device(run: Run, method: str) -> dict[str, object]:
    """Return a method's model and parameters, except for the device that it asks for."""
    entry = run.methods.get(method, {})
    params = {key: v for key, v in entry.get("params", {}).items() if key != "device"}
    return {"model": entry.get("model"), "params": params}


def _runtimes(run: Run, dataset: str, methods: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the runtimes of those methods that ran; say why the last did not if none did."""
    parts = {method: if_run(run.rows, "runtime", dataset, method) for method in methods}
    tables = {method: part for method, part in parts.items() if part is not None}
    return tables or {methods[-1]: run.rows("runtime", dataset, methods[-1])}


def _slope(run: Run, dataset: str, method: str) -> float | None:
    """Return the exponent with which a method's time grows with the cells, where measured."""
    part = if_run(run.rows, "scaling_slopes", dataset, method, measure="seconds")
    slope = () if part is None else part["slope"].dropna()
    return float(slope.iloc[0]) if len(slope) else None

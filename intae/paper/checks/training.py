"""Claims about how training goes, as the authors' notebooks print it."""

from __future__ import annotations

import numpy as np

from ..run import NotRun, Run
from ..words import number, over_seeds
from .register import Finding, at_least, at_most, check

BATCH = 62  # cells, in the notebooks and by default


@check(
    "Agrees if the share of annotated terms that are off at the end is within 0.1 of the paper's "
    "in the mean of the seeds; partly within 0.2."
)
def deactivated(
    run: Run, dataset: str, *, method: str, n_off: int, n_terms: int, epochs: int, n_cells: int
) -> Finding:
    """Compare how many terms training switches off."""
    terms = run.rows("terms", dataset, method, kind="annotated")
    counts = (~terms["active"].astype(bool)).groupby(terms["seed"]).sum()
    ours = terms.groupby("seed").size().iloc[0]
    share = counts.mean() / ours
    found = f"{over_seeds(counts.to_dict(), lambda v: f'{v:.0f}')} of {ours} ({share:.0%})"
    why = f"The paper's {n_off} of {n_terms} are {n_off / n_terms:.0%}."
    why += _steps(run, dataset, _epochs(run, dataset, method), epochs, n_cells)
    return Finding(found, at_most(round(abs(share - n_off / n_terms), 9), 0.1, 0.2), why)


@check(
    "Agrees if the loss is within 10% of the paper's in the mean of the seeds; partly within 25%. "
    "Not judged where the numbers of genes are far apart."
)
def loss(
    run: Run, dataset: str, *, method: str, after: int | None, loss: float, epochs: int,
    n_cells: int, n_genes: int,
) -> Finding:  # fmt: skip
    """Compare F, the loss without R, after an epoch or (after: null) at the end."""
    run.require_genes(dataset, n_genes)
    history = run.rows("history", dataset, method)
    if after is None:
        part = history.loc[history.groupby("seed")["iteration"].idxmax()]
    else:
        part = history[history["iteration"] == after]
        if not len(part):
            msg = f"{method} did not train for {after} epoch(s) on {dataset}."
            raise NotRun(msg)
    values = part.set_index("seed")["F"]
    change = values.mean() / loss - 1
    why = f"{abs(change):.0%} {'above' if change > 0 else 'below'} the paper's value."
    why += " It depends on which genes are variable, and so on which cells the data hold."
    trained = after or _epochs(run, dataset, method)
    why += _steps(run, dataset, trained, epochs, n_cells)
    verdict = at_most(round(abs(change), 9), 0.1, 0.25)
    return Finding(over_seeds(values.to_dict(), number), verdict, why)


@check("Agrees if the share at the end is at least 0.98 from every seed; partly from 0.95.")
def inactive_at_zero(run: Run, dataset: str, *, method: str, epochs: int, n_cells: int) -> Finding:
    """Compare the share at zero of the weights that the annotation does not name."""
    history = run.rows("history", dataset, method)
    last = history.loc[history.groupby("seed")["iteration"].idxmax()]
    values = last.set_index("seed")["inactive_zero_share"]
    verdict = at_least(values.min(), 0.98, 0.95)
    why = "Counted over the weights of all terms, those that are off included."
    why += _steps(run, dataset, _epochs(run, dataset, method), epochs, n_cells)
    return Finding(over_seeds(values.to_dict(), lambda v: f"{v:.3f}"), verdict, why)


@check(
    "Agrees if in some run the number of terms that are off falls by three quarters or more within "
    "three epochs, from at least a tenth of the terms; partly from a half; differs if in none, "
    "though trained as long as the paper's run."
)
def collapse(run: Run, dataset: str, *, method: str, epochs: int, fell_after: int) -> Finding:
    """Look for a fit in which many terms that were off come back on at once."""
    runtime = run.rows("runtime", dataset, method)
    falls, longest = {}, 0
    for seed, part in run.rows("history", dataset, method).groupby("seed"):
        part = part.sort_values("iteration")
        least = runtime["n_terms"].iloc[0] / 10
        longest = max(longest, int(part["iteration"].max()))
        falls[seed] = largest_fall(part["n_deactivated"].to_numpy(float), least)
    told = "; ".join(f"{f[0]:.0f} to {f[1]:.0f} (seed {seed})" for seed, f in falls.items() if f)
    found = f"largest fall within three epochs: {told or 'none'}"
    largest = max((1 - f[1] / f[0] for f in falls.values() if f), default=0.0)
    why = f"{len(falls)} run(s) of {longest} epochs; the paper's run fell after epoch {fell_after}."
    if largest < 0.5 and longest < fell_after:
        msg = f"{why} Here {found}. `methods: {method}: params: epochs: {epochs}` runs as long."
        raise NotRun(msg)
    if 0.5 <= largest < 0.75:
        why += " The number of terms that are off goes up and down from epoch to epoch."
    return Finding(found, at_least(largest, 0.75, 0.5), why)


def largest_fall(off: np.ndarray, least: float) -> tuple[float, float] | None:
    """Find the largest fall, as a share, of the terms that are off, within three epochs.

    Parameters
    ----------
    off
        Number of terms that are off, per epoch.
    least
        Falls from fewer are not counted.

    Returns
    -------
    From and to; None if the number never falls from so many.
    """
    falls = [
        (off[start], off[start + 1 : start + 4].min())
        for start in range(len(off) - 1)
        if off[start] >= least and off[start + 1 : start + 4].min() < off[start]
    ]
    return min(falls, key=lambda fall: fall[1] / fall[0], default=None)


def _steps(run: Run, dataset: str, trained: float, epochs: int, n_cells: int) -> str:
    """Say how many training steps were taken, where it is not as many as in the paper."""
    ours = trained * int(np.ceil(run.n_cells(dataset) / BATCH))
    paper = epochs * int(np.ceil(n_cells / BATCH))
    if 0.8 <= ours / paper <= 1.25:
        return ""
    return (
        f" That is after {ours:,.0f} training steps, against {paper:,} in the paper (epochs x"
        f" cells: {trained:.0f} x {run.n_cells(dataset):,} against {epochs} x {n_cells:,})."
    )


def _epochs(run: Run, dataset: str, method: str) -> float:
    return float(run.rows("runtime", dataset, method)["iterations"].mean())

"""Claims about how far an interpretation holds: from seed to seed, and in small data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from ..run import MEDIAN_R, SHARED_TOP, NotRun, Run, if_run
from ..words import mean_of, number, over_seeds, share, with_range
from .register import AGREES, DIFFERS, PARTLY, Finding, all_or_some, check

SAME, SAME_TOP = 0.8, 8


@check(
    f"Agrees if another seed gives the same terms: median |r| of a term's loadings at least {SAME} "
    f"and {SAME_TOP} of the ten most relevant terms shared, means over the pairs of seeds; partly "
    "if one of the two holds."
)
def same_from_any_seed(
    run: Run, dataset: str, *, method: str, beside: Sequence[str] = ()
) -> Finding:
    """Ask whether a method's terms are the same from another seed."""
    summary = _summary(run, dataset, method, "seeds")
    holds = [summary.loc[MEDIAN_R, "r"] >= SAME, summary.loc[SHARED_TOP, "r"] >= SAME_TOP]
    why = "The paper reports one seed."
    for other in beside:
        for kind, words in (("seeds", "from another seed"), ("halves", "between halves of cells")):
            theirs = if_run(_summary, run, dataset, other, kind)
            if theirs is not None:
                why += f" {run.label(other)} {words}: {_told(theirs)}."
    return Finding(_told(summary), all_or_some(holds), why)


@check(
    f"Agrees if the terms change with the seed on these few cells (median |r| below {SAME}) and "
    "change less, by 0.1 or more, on larger data of the same run; partly if they change as much "
    "there, so that more cells alone do not help; differs if they do not change. Without larger "
    "real data in the run, partly at best."
)
def too_few_cells(run: Run, dataset: str, *, method: str, beside: Sequence[str] = ()) -> Finding:
    """Ask whether small data are what makes a method fail."""
    small = _summary(run, dataset, method, "seeds")
    larger = {}
    for other in run.datasets:
        if run.n_cells(other) > 2 * run.n_cells(dataset) and other not in run.simulated:
            summary = if_run(_summary, run, other, method, "seeds")
            if summary is not None:
                larger[other] = summary
    found = f"between seeds, {run.n_cells(dataset):,} cells: {_told(small)}"
    for name, summary in larger.items():
        found += f"; {name}, {run.n_cells(name):,} cells: {_told(summary)}"
    # no median where no term is active in both fits: they agree on nothing
    medians = pd.Series([s.loc[MEDIAN_R, "r"] for s in (small, *larger.values())]).fillna(0.0)
    here, best = medians.iloc[0], medians.iloc[1:].max()
    if here >= SAME:
        verdict, why = DIFFERS, "The terms are the same from another seed."
    elif not larger:
        verdict, why = PARTLY, "No larger real data in this run to compare with."
    elif best >= here + 0.1:
        verdict, why = AGREES, "More cells make the terms more alike"
        why += "." if best >= SAME else f", but still not the same (median |r| {share(best)})."
    else:
        verdict, why = PARTLY, "The terms change as much on more cells."
    for other in beside:
        theirs = if_run(_summary, run, dataset, other, "halves")
        if theirs is not None:
            why += f" {run.label(other)} between halves of these cells: {_told(theirs)}."
    return Finding(found, verdict, why)


@check(
    "Agrees if the method adds genes to or removes them from active terms, and the same ones from "
    "another seed (Jaccard index of the corrections at least 0.5), and if at least half of what it "
    "adds is right where the run has simulated data; partly if one of these does not hold or one "
    "seed only was run; differs if it corrects nothing."
)
def corrects_sets(run: Run, dataset: str, *, method: str) -> Finding:
    """Count the genes that a method adds to and removes from gene sets."""
    terms = run.rows("terms", dataset, method, kind="annotated")
    changes = {
        seed: _changes(part[part["active"].astype(bool)]) for seed, part in terms.groupby("seed")
    }
    added = {seed: sum(sign == "+" for _, _, sign in c) for seed, c in changes.items()}
    removed = {seed: sum(sign == "-" for _, _, sign in c) for seed, c in changes.items()}
    count = "{:.0f}".format
    found = f"added {over_seeds(added, count)}; removed {over_seeds(removed, count)}"
    why = "Whether a correction is meaningful these data cannot tell."
    precision = _precision(run, method)
    if precision is not None:
        why += (
            " On simulated data, where the truth is known, "
            f"{mean_of(precision)} of the genes that it adds belong."
        )
    if not any(changes.values()):
        return Finding(found or "none", DIFFERS, "No gene added or removed in any active term.")
    if len(changes) < 2:
        return Finding(found, PARTLY, why + f" One seed only: `methods: {method}: seeds:`.")
    pairs = combinations(changes.values(), 2)
    indices = pd.Series([len(a & b) / max(1, len(a | b)) for a, b in pairs])
    why = f"Between seeds the corrections' Jaccard index is {mean_of(indices)}. " + why
    right = precision is None or precision.mean() >= 0.5
    return Finding(found, AGREES if indices.mean() >= 0.5 and right else PARTLY, why)


def _changes(terms: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return term, gene and sign of every correction."""
    return {
        (row.term, gene, sign)
        for row in terms.itertuples()
        for genes, sign in ((row.genes_added, "+"), (row.genes_removed, "-"))
        if isinstance(genes, str)
        for gene in genes.split()
    }


def _precision(run: Run, method: str) -> pd.Series | None:
    """Return the precision of added genes, a value per simulation and seed."""
    values = []
    for dataset in run.simulated:
        part = if_run(run.rows, "recovery", dataset, method, metric="precision of added genes")
        if part is not None:
            values.extend(part["value"].dropna())
    return pd.Series(values) if values else None


def _summary(run: Run, dataset: str, method: str, kind: str) -> pd.DataFrame:
    """Return r, r_min and r_max of the two summaries over pairs of fits."""
    part = run.rows("stability", dataset, method)
    part = part[(part["kind"] == kind) & part["term"].isin([MEDIAN_R, SHARED_TOP])]
    summary = part.set_index("term")[["r", "r_min", "r_max"]]
    if len(summary) < 2:
        change = "several `seeds`" if kind == "seeds" else "`halves`"
        msg = f"{method} was not compared between {kind} on {dataset}: give it {change}."
        raise NotRun(msg)
    return summary


def _told(summary: pd.DataFrame) -> str:
    shared = with_range(*summary.loc[SHARED_TOP], number)
    return f"median |r| {with_range(*summary.loc[MEDIAN_R])}, {shared} of 10 top terms shared"

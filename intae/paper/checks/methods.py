"""Claims about the methods in general, judged over all data sets of a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from ..run import MEDIAN_R, NotRun, Run, if_run
from ..words import listing, mean_of, number, score, with_range
from .register import AGREES, DIFFERS, PARTLY, Finding, all_or_some, check
from .separation import best_terms

FALSE_COLUMNS = ["dataset", "method", "seed", "rule", "outcome", "n", "of"]
RANKING = "average precision of active terms"


@check(
    "Agrees if the autoencoder gives loadings of cells that it was not fitted to, alike from two "
    "halves of the cells (median |r| at least 0.8) on some data set, and f-scLVM gives none; "
    "partly if only the first holds; differs if it does not."
)
def new_cells(
    run: Run, dataset: str | None, *, can: Sequence[str], cannot: Sequence[str]
) -> Finding:
    """Ask which methods give loadings of new cells: the comparison of halves needs them."""
    ours, theirs = _halves(run, can), _halves(run, cannot)
    if not len(ours):
        msg = f"None of {listing(can)} was fitted to halves: give one `halves` in `methods:`."
        raise NotRun(msg)
    found = "; ".join(
        f"{run.label(method)} "
        + listing(f"{with_range(*row)} ({name})" for (_, name), row in part.iterrows())
        for table in (ours, theirs)
        for method, part in table.groupby(level="method", sort=False)
    )
    found = "median |r| between halves, of the loadings of all cells: " + found
    ours = ours["r"].fillna(0.0)  # no term is active in both halves
    poor = dict.fromkeys(dataset for (_, dataset), r in ours.items() if r < 0.8)
    why = f"On {listing(poor)} they depend on the cells that it saw." if poor else ""
    if ours.max() < 0.8:
        return Finding(found, DIFFERS, why)
    if len(theirs):
        why += " The f-scLVM of this run gives loadings of new cells too, which slalom does not."
        return Finding(found, PARTLY, why.strip())
    return Finding(found, AGREES, f"{why} No f-scLVM was asked for new cells.".strip())


@check(
    "Differs if automatic penalties work on every real data set: some terms on and some off, and "
    "the condition separated as well as with the published, hand-set ones (accuracy at most 0.02 "
    "lower); partly if on some data sets; agrees if on none."
)
def needs_tuning(run: Run, dataset: str | None, *, tuned: str, automatic: str) -> Finding:
    """Compare hand-set penalties with automatic ones, the same for every data set."""
    params = run.methods.get(automatic, {}).get("params", {})
    if any(str(key).startswith("lambda") for key in params):
        msg = f"{automatic} has penalties set by hand in this run (`params:`)."
        raise NotRun(msg)
    found, works = [], []
    for name in run.real:
        if not (run.is_on(name, tuned) and run.is_on(name, automatic)):
            continue
        on = {m: _on(run, name, m) for m in (automatic, tuned)}
        text = f"{name}: {mean_of(on[automatic], '{:.0%}'.format)} of the terms on "
        text += f"(as published: {mean_of(on[tuned], '{:.0%}'.format)})"
        good = 0 < on[automatic].mean() < 1
        best = _bests(run, name, [automatic, tuned])
        if len(best) == 2:
            text += f", best accuracy {mean_of(best[automatic], score)} "
            text += f"(as published: {mean_of(best[tuned], score)})"
            good &= best[automatic].mean() >= best[tuned].mean() - 0.02
        found.append(text)
        works.append(good)
    if not found:
        msg = f"It takes {tuned} and {automatic} on one data set; name both in `run: methods:`."
        raise NotRun(msg)
    verdict = all_or_some([not good for good in works])
    why = f"{run.label(automatic)} takes its penalties from the data, by one rule for all."
    return Finding("; ".join(found), verdict, why)


@check(
    "Agrees if every score without a model ranks the active terms of simulated data worse (average "
    "precision, mean of seeds) than the worst of the factor models; partly if worse than the best. "
    "Over the simulations that all of them ran on."
)
def scores_rank_worse(
    run: Run, dataset: str | None, *, scores: Sequence[str], models: Sequence[str]
) -> Finding:
    """Compare how well scores and models tell active terms from those that only overlap them."""
    values = _rankings(run, [*models, *scores])
    known = {m: each.mean() for m, each in values.items()}
    ours, theirs = [m for m in models if m in known], [m for m in scores if m in known]
    if not ours or not theirs:
        msg = (
            "It takes simulated data (`run: datasets: [simulated]`), with a factor model and a "
            f"score ({listing(scores)}) on the same."
        )
        raise NotRun(msg)
    found = "; ".join(f"{run.label(m)} {mean_of(values[m])}" for m in (*theirs, *ours))
    high = max(known[m] for m in theirs)
    verdict = (
        AGREES if high < min(known[m] for m in ours)
        else PARTLY if high < max(known[m] for m in ours)
        else DIFFERS
    )  # fmt: skip
    best = max(known, key=known.get)
    why = f"Best: {run.label(best)}. A low value means that inactive terms rank above active ones."
    return Finding("average precision: " + found, verdict, why)


@check(
    "Agrees if every score without a model calls more inactive terms active than every factor "
    "model does, on the simulated data that all of them ran on (means over draws and seeds); "
    "partly if more than the model that calls fewest. A term is called active if its loadings "
    "differ between conditions, tested one term after the other."
)
def false_terms(
    run: Run, dataset: str | None, *, scores: Sequence[str], models: Sequence[str], rule: str
) -> Finding:
    """Compare how many inactive terms scores and models call active."""
    table = run.tables.get("false_positives", pd.DataFrame(columns=FALSE_COLUMNS))
    part = table[(table["rule"] == rule) & table["outcome"].str.startswith("false")]
    part = part[part["method"].isin([*models, *scores])]
    counts = part.groupby(["method", "dataset", "seed"])[["n", "of"]].sum()
    on_all = counts.groupby(["dataset", "method"]).size().unstack("method").dropna().index
    counts = counts[counts.index.get_level_values("dataset").isin(on_all)]
    means = counts["n"].groupby("method").mean()
    ours, theirs = [m for m in models if m in means.index], [m for m in scores if m in means.index]
    if not ours or not theirs:
        msg = (
            "It takes simulated data, with a factor model and a score "
            f"({listing(scores)}) on the same: `run:`."
        )
        raise NotRun(msg)
    found = "; ".join(
        f"{run.label(m)} {mean_of(counts['n'].xs(m), number)}" for m in (*theirs, *ours)
    )
    least, fewest, most = means[theirs].min(), means[ours].min(), means[ours].max()
    verdict = AGREES if least > most else PARTLY if least > fewest else DIFFERS
    why = (
        f"Means over {len(on_all)} simulated data set(s), of "
        f"{number(counts['of'][theirs].mean())} inactive terms. The rule: {rule}."
    )
    return Finding("false terms called active: " + found, verdict, why)


@check(
    "Agrees if, on every data set that has them, both masked models rank the active terms worse "
    "(simulated data, average precision) or separate the condition worse (accuracy of the best "
    "term) than the regularised decoder; partly if on some, or one of them."
)
def masks_fail(
    run: Run, dataset: str | None, *, masked: Sequence[str], regularised: str
) -> Finding:
    """Compare hard-coded and stochastic masks with the regularised decoder."""
    scores = [("average precision, simulated", partial(_rankings, run))]
    scores += [
        (f"best accuracy, {name}", partial(_bests, run, name))
        for name in run.real
        if name not in run.simulated
    ]
    found, worse = [], []
    for unit, scores_of in scores:
        for method in masked:
            values = scores_of([method, regularised])
            if len(values) == 2:
                told = " against ".join(mean_of(each, score) for each in values.values())
                found.append(f"{unit}: {run.label(method)} {told}")
                worse.append(values[method].mean() < values[regularised].mean())
    if not found:
        msg = (
            f"None of {listing(masked)} was run beside {regularised}; name them in `run: methods:`."
        )
        raise NotRun(msg)
    return Finding("; ".join(found), all_or_some(worse), "The talk does not say how they fail.")


def _halves(run: Run, methods: Sequence[str]) -> pd.DataFrame:
    """Return the median |r| between halves: (method, data set) -> r, r_min, r_max over halvings."""
    table = run.tables.get("stability")
    if table is None:
        return pd.DataFrame()
    wanted = (table["kind"] == "halves") & (table["term"] == MEDIAN_R)
    part = table[wanted & table["method"].isin(methods) & table["dataset"].isin(run.real)]
    return part.set_index(["method", "dataset"])[["r", "r_min", "r_max"]]


def _on(run: Run, dataset: str, method: str) -> pd.Series:
    """Return the share of the annotated terms that are on, a value per seed."""
    terms = run.rows("terms", dataset, method, kind="annotated")
    return terms["active"].astype(bool).groupby(terms["seed"]).mean()


def _bests(run: Run, dataset: str, methods: Sequence[str]) -> dict[str, pd.Series]:
    """Return the training accuracy of the best annotated term, a value per seed, where known."""
    best = {method: if_run(best_terms, run, dataset, method) for method in methods}
    return {m: part["accuracy"].astype(float) for m, part in best.items() if part is not None}


def _rankings(run: Run, methods: Sequence[str]) -> dict[str, pd.Series]:
    """Return the average precision of the ranking of active terms, a value per simulation and seed.

    Of the methods that ran on some simulation, and of the simulations that all of these ran on,
    since one is harder than another. All have the same seeds, so each counts as much.
    """
    found = {}
    for method in methods:
        for dataset in run.simulated:
            part = if_run(run.rows, "recovery", dataset, method, metric=RANKING)
            if part is not None:
                values = part.set_index("dataset")["value"].dropna()
                found[method] = pd.concat([found[method], values]) if method in found else values
    shared = set.intersection(*(set(values.index) for values in found.values())) if found else ()
    return {m: values[values.index.isin(shared)] for m, values in found.items() if shared}

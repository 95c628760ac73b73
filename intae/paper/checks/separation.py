"""Claims about terms that separate conditions or cell types."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..run import NotRun, Run, of_term
from ..words import listing, mean_of, over_seeds, score
from .register import AGREES, DIFFERS, PARTLY, Finding, all_or_some, check, worst

CLEAR, FAIR = 0.9, 0.75


@check(
    f"Agrees if the term's AUROC, that value of the label against all other cells, is at least "
    f"{CLEAR} from every seed; partly from {FAIR} in the mean of the seeds. AUROC is taken in the "
    "direction that separates."
)
def separates(
    run: Run, dataset: str, *, method: str, term: str, label: str, values: Sequence[str]
) -> Finding:
    """Ask whether one term separates values of a label, named by how they begin (a|b: either)."""
    table = run.rows("separation", dataset, method, label=label)
    known = list(dict.fromkeys(table["value"].astype(str)))
    wanted = {v.split("|")[0]: tuple(v.lower().split("|")) for v in values}
    matches = {
        v: [k for k in known if k.lower().startswith(begins)] for v, begins in wanted.items()
    }
    shown = [value for found in matches.values() for value in found]
    missing = [v for v, found in matches.items() if not found]
    if not shown:
        msg = (
            f"No {label} of {dataset} is called {listing(missing)}; it has {listing(known)}. It "
            "takes data with such cells."
        )
        raise NotRun(msg)
    part = of_term(table, term, dataset)
    found, verdicts = [], {}
    for value in shown:
        auroc = part[part["value"] == value].set_index("seed")["auroc"].astype(float)
        auroc = auroc.where(auroc >= 0.5, 1 - auroc)
        found.append(f"{value}: {over_seeds(auroc.to_dict(), score)}")
        verdicts[value] = (
            AGREES if auroc.min() >= CLEAR else PARTLY if auroc.mean() >= FAIR else DIFFERS
        )
    verdict, why = worst(*verdicts.values()), ""
    if verdict != AGREES:
        failing = next(value for value in shown if verdicts[value] == verdict)
        why = _who_separates(table, failing, term)
        why += " It depends on the seed." if verdict == PARTLY and _near(part, shown) else ""
        on = run.rows("terms", dataset, method, term=term)["active"].astype(bool)
        why += "" if on.all() else f" {term} is off from {(~on).sum()} of {len(on)} seeds."
    if missing:
        verdict = worst(verdict, PARTLY)
        why += f" The data hold no cells called {listing(missing)}."
    cells = part.drop_duplicates("value").set_index("value")["n_cells"]
    why += " Cells: " + listing(f"{cells[value]:,} {value}" for value in shown) + "."
    return Finding("AUROC of " + "; ".join(found), verdict, why.strip())


@check(
    "Agrees if the term has the highest training accuracy of all annotated terms from every seed; "
    "partly if from some."
)
def best_term(run: Run, dataset: str, *, method: str, term: str) -> Finding:
    """Ask which annotated term separates the condition best."""
    best = best_terms(run, dataset, method)
    hits = best["term"] == term
    found = "; ".join(f"{r.term} {score(r.accuracy)} (seed {r.seed})" for r in best.itertuples())
    if hits.all():
        why = f"The same from each of {len(best)} seeds." if len(best) > 1 else _one_seed(best)
        return Finding(found, AGREES, why.strip())
    accuracy = _accuracies(run, dataset, method)
    own = accuracy[accuracy["term"] == term].set_index("seed")["accuracy"]
    why = (
        f"{term} itself: {over_seeds(own.to_dict(), score)}."
        if len(own)
        else f"{term} is no term here."
    )
    if best["term"].nunique() > 1:
        why += " The seed changes which term is best."
    return Finding(found, all_or_some(hits), why + _one_seed(best))


@check(
    "Agrees if the method has the highest training accuracy (mean of the seeds) for every one of "
    "the terms, and not for the one excepted; partly if at least half of these statements hold. "
    "Where the data lack the one excepted, partly at best."
)
def best_for_all_but(
    run: Run, dataset: str, *, method: str, others: Sequence[str], terms: Sequence[str], but: str
) -> Finding:
    """Compare the accuracy of each term between methods."""
    seeds = {
        name: _accuracies(run, dataset, name).groupby("term")["accuracy"]
        for name in (method, *others)
    }
    table = pd.DataFrame({name: accuracy.mean() for name, accuracy in seeds.items()})

    def told(name: str, t: str) -> str:
        return mean_of(seeds[name].get_group(t), score)

    present = [t for t in [*terms, but] if t in table.index and table.loc[t].notna().all()]
    compared = [t for t in present if t != but]
    if not compared:
        msg = f"{dataset} has none of the terms {listing(terms)}."
        raise NotRun(msg)
    table = table.loc[present]
    wins = table[method] > table[list(others)].max(axis=1)
    holds = [bool(wins[t]) != (t == but) for t in present]
    found = f"best for {int(wins[compared].sum())} of {len(compared)} terms"
    found += f" ({listing(t for t in compared if wins[t])})" if wins[compared].any() else ""
    if but in present:
        rest = listing(f"{run.label(m)} {told(m, but)}" for m in table)
        found += f"; {but}: {rest}"
    lost = [
        f"{t}: {told(method, t)} against {told(table.loc[t, list(others)].idxmax(), t)} "
        f"({run.label(table.loc[t, list(others)].idxmax())})"
        for t in compared
        if not wins[t]
    ]
    why = "Where another is better: " + "; ".join(lost) + "." if lost else ""
    verdict = AGREES if all(holds) else PARTLY if sum(holds) >= len(holds) / 2 else DIFFERS
    verdict = verdict if but in present else worst(verdict, PARTLY)
    if absent := [t for t in [*terms, but] if t not in present]:
        why += f" Not terms of these data: {listing(absent)}."
    return Finding(found, verdict, why.strip())


@check(
    "Agrees if the best term is the same from every seed in each set-up and differs between them; "
    "partly if only the one with dense factors changes with the seed; differs if the seed alone "
    "changes it without dense factors, or nothing does."
)
def dense_changes_best(run: Run, dataset: str, *, without: str, with_dense: str) -> Finding:
    """Ask what changes the best term: dense factors, or the seed alone."""
    plain, dense = best_terms(run, dataset, without), best_terms(run, dataset, with_dense)
    changes = plain["term"].nunique() > 1
    if len(plain) < 2 or (len(dense) < 2 and not changes):
        msg = (
            f"It takes several seeds to tell: `methods: {without}: seeds: [222, 1, 2]`, and the "
            f"same for {with_dense}."
        )
        raise NotRun(msg)
    found = "; ".join(
        f"{run.label(m)}: " + ", ".join(f"{r.term} {score(r.accuracy)}" for r in best.itertuples())
        for m, best in ((without, plain), (with_dense, dense))
    )
    names, names_dense = set(plain["term"]), set(dense["term"])
    if changes:
        least, most = plain["accuracy"].min(), plain["accuracy"].max()
        equal = ", about equally good" if most - least <= 0.02 else ""
        why = (
            f"Without any dense factor {len(plain)} seeds already choose {len(names)} different "
            f"terms{equal} ({score(least)} to {score(most)}): the random start decides."
        )
        verdict = DIFFERS
    elif len(names_dense) > 1:
        verdict, why = PARTLY, "With dense factors the best term changes with the seed."
    elif names == names_dense:
        verdict, why = DIFFERS, "Here the same term is best with and without dense factors."
    else:
        verdict, why = AGREES, "Every seed gives the same two terms."
    low, high = (mean_of(best["accuracy"], score) for best in (plain, dense))
    why += (
        f" The best term's accuracy is {low} without and {high} with dense factors "
        "(means over seeds)."
    )
    return Finding(found, verdict, why)


def best_terms(run: Run, dataset: str, method: str) -> pd.DataFrame:
    """Return the best annotated term of each seed: seed, term, accuracy (training)."""
    accuracy = _accuracies(run, dataset, method)
    best = accuracy.loc[accuracy.groupby("seed", sort=False)["accuracy"].idxmax()]
    return best[["seed", "term", "accuracy"]]


def _accuracies(run: Run, dataset: str, method: str) -> pd.DataFrame:
    accuracy = run.rows("accuracy", dataset, method, split="train", label="condition")
    terms = run.rows("terms", dataset, method, kind="annotated")
    return accuracy[accuracy["term"].isin(terms["term"])].reset_index(drop=True)


def _near(part: pd.DataFrame, shown: Sequence[str]) -> bool:
    """Tell whether a term separates all values clearly from some seed."""
    part = part[part["value"].isin(shown)]
    auroc = part["auroc"].clip(lower=1 - part["auroc"])
    return bool((auroc.groupby(part["seed"]).min() >= CLEAR).any())


def _who_separates(table: pd.DataFrame, value: str, term: str) -> str:
    """Name the term that separates a value best in the mean of the seeds."""
    part = table[table["value"] == value]
    auroc = part["auroc"].clip(lower=1 - part["auroc"])
    best = auroc.groupby(part["term"]).mean().idxmax()
    if best == term:
        return f"No other term separates {value} better in the mean of the seeds."
    told = mean_of(auroc[part["term"] == best], score)
    return f"The term that separates {value} best is {best}, {told}."


def _one_seed(best: pd.DataFrame) -> str:
    return " One seed cannot show whether another would choose the same." if len(best) == 1 else ""

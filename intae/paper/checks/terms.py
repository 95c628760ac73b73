"""Claims about which terms matter, and whether two models agree on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ..run import MEDIAN_R, NotRun, Run, if_run, of_term
from ..words import listing, mean_of, number, over_seeds, share, with_range
from .register import DIFFERS, Finding, all_or_some, at_least, at_most, check


@check(
    "Agrees if the term is on and its rank by relevance is the paper's, give or take the leeway, "
    "from every seed; partly if from some."
)
def rank_of(
    run: Run, dataset: str, *, method: str, term: str, rank: int, leeway: int = 0
) -> Finding:
    """Compare the rank of a term among a method's annotated terms, 1 the most relevant."""
    terms = _ranked(run, dataset, method)
    part = of_term(terms, term, dataset).set_index("seed")
    on = part["active"].astype(bool)
    near = ((part["rank"] - rank).abs() <= leeway) & on
    found = "rank " + over_seeds(part["rank"].to_dict(), lambda value: f"{value:.0f}")
    first = terms[terms["rank"] == 1].groupby("term").size()
    why = f"Of {terms['term'].nunique()} terms; the first is " + listing(first.index) + "."
    if not on.all():
        why += f" {term} is off from {(~on).sum()} seed(s)."
    return Finding(found, all_or_some(near), why)


@check(
    "Agrees if at least four fifths of the terms that the paper names are on and among the n most "
    "relevant in the mean of the seeds; partly from two fifths."
)
def top_terms(run: Run, dataset: str, *, method: str, terms: Sequence[str], n: int = 10) -> Finding:
    """Count how many of the paper's top terms are top terms here."""
    table = _ranked(run, dataset, method)
    top = {
        seed: part[part["active"].astype(bool) & (part["rank"] <= n)].sort_values("rank")["term"]
        for seed, part in table.groupby("seed", sort=False)
    }
    counts = {seed: len(set(terms) & set(names)) for seed, names in top.items()}
    found = f"{over_seeds(counts, lambda v: f'{v:g}')} of {len(terms)} among the first {n}"
    mean = sum(counts.values()) / len(counts) / len(terms)
    seed, first = next(iter(top.items()))
    why = f"The first {len(first)} of seed {seed}: {listing(first)}."
    why = why if len(first) else f"No term of seed {seed} is on."
    return Finding(found, at_least(mean, 0.8, 0.4), why)


@check(
    "Agrees if the median |r| (mean over the pairs of seeds) is within 0.1 of the paper's over as "
    "many terms, those most relevant to the second method; partly within 0.2."
)
def agreement(
    run: Run, dataset: str, *, pair: Sequence[str], median: float, above: int, n_terms: int
) -> Finding:
    """Compare how far two methods' loadings agree, on the terms most relevant to the second."""
    r = _by_seeds(run, dataset, pair)
    # not by the table's relevance_rank: that is by the reference of the config
    order = _ranked(run, dataset, pair[1])
    order = order[order["seed"] == order["seed"].iloc[0]].nsmallest(n_terms, "rank")["term"]
    r = r.loc[[term for term in order if term in r.index]]
    if not r.notna().to_numpy().any():
        return Finding(
            f"none of the {len(r)} most relevant terms is active in both", DIFFERS,
            "One of the two switched them off.",
        )  # fmt: skip
    ours, on, high = r.median(), r.notna().sum(), (r > 0.5).sum()
    terms = f"the {len(r)} most relevant terms"
    if r.isna().to_numpy().any():
        terms = f"{mean_of(on, number)} of {terms} (the others are off in one of the two)"
    found = f"median |r| {mean_of(ours)} over {terms}, {mean_of(high, number)} above 0.5"
    found += f"; {r.shape[1]} pairs of seeds" if r.shape[1] > 1 else ""
    distance = round(abs(ours.mean() - median), 9)
    more = "more than" if ours.mean() > median else "less than"
    more = "as much as" if distance <= 0.02 else more
    why = f"They agree {more} in the paper, whose figure has {above} above 0.5. "
    why += _own_agreement(run, dataset, pair)
    return Finding(found, at_most(distance, 0.1, 0.2), why.strip())


@check(
    "Agrees if four fifths of the terms' |r| (means over the pairs of seeds) are within 0.2 of the "
    "paper's; partly from half."
)
def agreement_of_terms(
    run: Run, dataset: str, *, pair: Sequence[str], terms: Mapping[str, float]
) -> Finding:
    """Compare, term by term, how far two methods' loadings agree."""
    r = _by_seeds(run, dataset, pair)
    present = {term: abs(paper) for term, paper in terms.items() if term in r.index}
    if not present:
        msg = f"{dataset} has none of the terms {listing(terms)}."
        raise NotRun(msg)
    ours = r.loc[list(present)]
    near = ((pd.Series(present) - ours.mean(axis=1)).abs() <= 0.2).mean()
    found = "; ".join(
        f"{term} {'off in one' if row.isna().all() else mean_of(row)} (paper {share(paper)})"
        for (term, paper), (_, row) in zip(present.items(), ours.iterrows(), strict=True)
    )
    why = f"{near:.0%} of {len(present)} terms are near the paper's value. "
    why += _own_agreement(run, dataset, pair)
    return Finding(found, at_least(near, 0.8, 0.5), why.strip())


def _ranked(run: Run, dataset: str, method: str) -> pd.DataFrame:
    """Return a method's annotated terms with their rank among these."""
    terms = run.rows("terms", dataset, method, kind="annotated").copy()
    terms["rank"] = terms.groupby("seed")["relevance"].rank(ascending=False, method="first")
    return terms


def _pair(run: Run, dataset: str, pair: Sequence[str]) -> pd.DataFrame:
    table = run.rows("correlation", dataset)
    for a, b in (pair, tuple(reversed(pair))):
        part = table[(table["method_a"] == a) & (table["method_b"] == b)]
        if len(part):
            return part
    absent = [m for m in pair if not run.is_on(dataset, m)]
    msg = f"{listing(absent or pair)} did not run to the end on {dataset}; both are needed."
    raise NotRun(msg)


def _by_seeds(run: Run, dataset: str, pair: Sequence[str]) -> pd.DataFrame:
    """Return |r| per term and pair of seeds (columns); of the first seeds without that table."""
    first = _pair(run, dataset, pair).set_index("term")
    table = run.tables.get("correlation_seeds")
    if table is None:
        return first[["r"]].abs()
    rows = table[(table["dataset"] == dataset) & table["method_a"].isin(pair)]
    rows = rows[rows["method_b"].isin(pair) & (rows["method_a"] != rows["method_b"])]
    return rows.pivot(index="term", columns=["seed_a", "seed_b"], values="r").abs()


def _own_agreement(run: Run, dataset: str, pair: Sequence[str]) -> str:
    """Say how far each of two methods agrees with itself from another seed: a ceiling."""
    told = []
    for method in pair:
        rows = if_run(run.rows, "stability", dataset, method, kind="seeds", term=MEDIAN_R)
        if rows is not None:
            told.append(f"{run.label(method)} {with_range(*rows.iloc[0][['r', 'r_min', 'r_max']])}")
    if not told:
        return ""
    return f"Two seeds of one method agree among themselves at a median |r| of {listing(told)}."

"""What each figure shows, in one sentence computed from its tables: the head of its caption.

A function has the name of its figure; figures without one have a caption without a finding.
"""

from __future__ import annotations

import pandas as pd

from ..figures.style import method_label, plural, readable
from .drawing import but_ablations, in_role, representatives
from .inputs import Facts, Inputs

NOTHING = "There is nothing to compare here."


def finding_of(name: str, inputs: Inputs, facts: Facts) -> str:
    """Return the sentence of a figure, empty where it has none."""
    find = globals().get(f"_{name}")
    return "" if find is None else find(inputs, facts) or NOTHING


def _says(facts: Facts, method: str | None) -> str:
    return method_label(method or "", facts["labels"])


def _named(term: str) -> str:
    return readable(term, 1000)


def _best(inputs: Inputs, facts: Facts) -> pd.DataFrame:
    from ..figures.best_term import best_terms

    return best_terms(inputs.table("accuracy"), list(but_ablations(facts)), facts["scores"])


def _best_term(inputs: Inputs, facts: Facts) -> str:
    best = _best(inputs, facts).set_index("method")
    first = facts["recommended"]
    if first not in best.index:
        return ""
    row = best.loc[first]
    text = f"{_says(facts, first)}: {_named(row['term'])} separates the conditions with AUROC "
    if pd.isna(row["unseen"]):
        text += f"{row['all']:.2f} on all cells; it was not tested on unseen ones."
    else:
        text += f"{row['unseen']:.2f} on cells that the fit never saw ({row['all']:.2f} on all)."
    scores = best[best.index.isin(facts["scores"])]
    if len(scores):
        told = scores["unseen"].fillna(scores["all"])
        text += f" The best plain score, {_says(facts, told.idxmax())}, reaches {told.max():.2f}."
    return text


def _terms(inputs: Inputs, facts: Facts) -> str:
    from ..figures.families import members_of, one_line_each
    from ..figures.style import first_seed
    from ..figures.terms import ranks

    table, first = inputs.table("terms"), facts["recommended"]
    own = table[(table["method"] == first) & (table["kind"] == "annotated")]
    own = own[own["seed"] == first_seed(own)]
    members, on = members_of(own), own[own["active"].astype(bool)]
    lines = list(one_line_each(on, members).nsmallest(10, "rank")["term"])
    if not lines:
        return f"{_says(facts, first)} switches every gene set off." if len(own) else ""
    text = f"{_named(lines[0])} matters most to {_says(facts, first)}, of {plural(len(on), 'term')}"
    text += f" that it keeps on of {len(own)}."
    others = [m for m in in_role(facts, "model") if m != first and m in set(table["method"])]
    if others:
        known = ranks(table, lines, members, others)["rank"].unstack("method")[others]
        shared = (known <= 20).sum()
        theirs = f"{shared.median():.0f} among their 20 first (median of {len(others)})"
        if len(others) == 1:
            theirs = f"{shared.iloc[0]} among its 20 first"
        other = "the other models have" if len(others) > 1 else "the other model has"
        text += f" Of its {plural(len(lines), 'first line')}, {other} {theirs}."
    return text


def _necessity(inputs: Inputs, facts: Facts) -> str:
    from ..figures.style import first_seed, methods_in, recommended_first
    from ..figures.trust import replaceable

    table = inputs.table("necessity")
    methods = recommended_first(methods_in(table, facts["labels"]), facts["recommended"])
    if not methods:
        return "No term of these fits is on, so none is needed."
    own = table[table["method"] == methods[0]]
    own = own[own["seed"] == first_seed(own)].nlargest(facts["n_terms"], "relevance")
    n = sum(replaceable(row) for row in own.itertuples())
    return (
        f"{_says(facts, methods[0])}: of its {plural(len(own), 'most relevant term')}, others "
        f"could replace {n} at hardly any cost; {len(own) - n} say something of their own."
    )


def _stability(inputs: Inputs, facts: Facts) -> str:
    from ..figures.stability import JACCARD, MEDIAN_R

    table, first = inputs.table("stability"), facts["recommended"]
    own = table[table["method"] == first].set_index(["kind", "term"])["r"]
    kinds = [k for k in ("donors", "halves", "seeds") if (k, MEDIAN_R) in own.index]
    if not kinds:
        return f"{_says(facts, first)} was fitted once, so its stability is not known."
    kind = kinds[0]
    other = {"donors": "half of the donors", "halves": "half of the cells", "seeds": "seed"}[kind]
    return (
        f"{_says(facts, first)}, fitted to another {other}: the scores of the cells correlate by "
        f"{own[kind, MEDIAN_R]:.2f} (median of the terms), and {100 * own[kind, JACCARD]:.0f}% of "
        "the terms that are on in either fit are on in both."
    )


def _known_pairs(inputs: Inputs, facts: Facts) -> str:
    table = inputs.table("known_pairs")
    table = table[table["kept"].astype(bool)]
    own = table[table["method"] == facts["recommended"]]
    if own.empty:
        return ""
    own = own.groupby(["term", "label", "value"])["auroc"].mean()
    text = f"{_says(facts, facts['recommended'])} marks the cells that it must with AUROC "
    text += f"{own.median():.2f} (median of {plural(len(own), 'pair')}; least {own.min():.2f})."
    scores = table[table["method"].isin(in_role(facts, "control"))]
    if len(scores):
        of_method = scores.groupby(["method", "term", "label", "value"])["auroc"].mean()
        best = of_method.groupby("method").median()
        text += f" The best control, {_says(facts, best.idxmax())}: {best.max():.2f}."
    return text


def _cost(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("runtime"), facts["recommended"]
    table = table.assign(dataset=table["dataset"].replace(facts["draw_of"]))
    largest = table.loc[table["n_cells"].idxmax()]
    own = table[table["dataset"] == largest["dataset"]].groupby("method")["seconds"].mean()
    if first not in own:
        return f"The fastest fit is that of {_says(facts, own.idxmin())}: {_seconds(own.min())}."
    models = own[own.index.isin(in_role(facts, "model"))]
    text = f"{_says(facts, first)} takes {_seconds(own[first])} on {largest['dataset']}"
    text += f" ({largest['n_cells']:,} cells)"
    slowest = models.idxmax() if len(models) else first  # plain scores alone are no models
    if slowest != first:
        text += f"; the slowest model, {_says(facts, slowest)}, {_seconds(models.max())}"
    return text + "."


def _seconds(value: float) -> str:
    if value >= 5400:
        return f"{value / 3600:.1f} hours"
    if value >= 90:
        return f"{value / 60:.1f} minutes"
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def _metric(table: pd.DataFrame, metric: str, facts: Facts) -> pd.Series:
    """Return the mean of a metric over draws and seeds, by method."""
    known = table[(table["metric"] == metric) & table["method"].isin(list(facts["labels"]))]
    return known.groupby("method")["value"].mean().dropna()


def _implanted(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("implanted"), facts["recommended"]
    named, r = _metric(table, "top1", facts), _metric(table, "r", facts)
    if first not in named:
        return ""
    text = f"{_says(facts, first)} names {100 * named[first]:.0f}% of the implanted sets right"
    text += f" (|r| with the activity {r[first]:.2f})" if first in r else ""
    plain = [m for m in in_role(facts, "control") if m in named]
    if plain:
        best = named[plain].idxmax()
        text += f"; the best plain score, {_says(facts, best)}, {100 * named[best]:.0f}%"
        text += f" ({r[best]:.2f})" if best in r else ""
    return text + "."


def _implanted_null(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("implanted"), facts["recommended"]
    metric = "called followed" if facts["planted"]["null_of"] == "depth" else "called"
    counts, every = _metric(table, metric, facts), _metric(table, "unrelated", facts)
    if first not in counts:
        return ""
    what = "calls {} terms here, where every call is false"
    if metric == "called followed":
        what = "calls {} terms that only follow sequencing depth"
    text = f"{_says(facts, first)} {what.format(_number(counts[first]))}"
    return text + (f", of {every[first]:.0f}." if first in every else ".")


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _recovery(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("recovery"), facts["recommended"]
    found = _metric(table, "average precision of active terms", facts)
    if first not in found:
        return ""
    text = f"{_says(facts, first)} ranks the planted terms first with average precision "
    text += f"{found[first]:.2f}"
    others = found.drop(first)
    if len(others):
        text += f"; the best other method, {_says(facts, others.idxmax())}, {others.max():.2f}"
    return text + "."


def _false_positives(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("false_positives"), facts["recommended"]
    own = table[(table["method"] == first) & (table["rule"] == "switched on")]
    if own.empty:
        return ""
    draws = own.assign(right=own["outcome"] == "true").groupby(["dataset", "seed", "right"])
    mean = draws[["n", "of"]].sum().groupby("right").mean()
    return (
        f"{_says(facts, first)} leaves {_number(mean.loc[True, 'n'])} of the "
        f"{_number(mean.loc[True, 'of'])} truly active terms on, and "
        f"{_number(mean.loc[False, 'n'])} of the {_number(mean.loc[False, 'of'])} others."
    )


def _corrupted(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("corrupted"), facts["recommended"]
    on = table[(table["metric"] == "active") & (table["value"] == 1)]
    keys = ["dataset", "method", "seed", "term"]
    table = table.merge(on[keys], on=keys)
    weights, mask = _metric(table, "all genes", facts), _metric(table, "mask", facts)
    if first not in weights or first not in mask:
        return ""
    return (
        f"The weights of {_says(facts, first)} find the right genes with average precision "
        f"{weights[first]:.2f}, the corrupted sets themselves with {mask[first]:.2f}."
    )


def _reconstruction(inputs: Inputs, facts: Facts) -> str:
    table = inputs.table("reconstruction")
    mean = table.groupby(["method", "split"])["variance_explained"].mean().unstack()
    first = facts["recommended"]
    if first not in mean.index or "unseen" not in mean:
        return ""
    unseen, own = (100 * mean.loc[first, split] for split in ("unseen", "train"))
    return (
        f"{_says(facts, first)} reconstructs {unseen:.0f}% of the variance of unseen cells, "
        f"{own:.0f}% of that of its own."
    )


def _agreement(inputs: Inputs, facts: Facts) -> str:
    table, first = inputs.table("agreement"), facts["recommended"]
    models = {m for m in representatives(facts) if m != first and facts["roles"][m] == "model"}
    a, b = table["method_a"], table["method_b"]
    other = b.where(a == first, a.where(b == first))
    own = table[other.isin(models)].assign(other=other).groupby("other")["median_r"].mean().dropna()
    if own.empty:
        return ""
    return (
        f"{_says(facts, first)} agrees most with {_says(facts, own.idxmax())} (median |r| "
        f"{own.max():.2f}) and least with {_says(facts, own.idxmin())} ({own.min():.2f})."
    )

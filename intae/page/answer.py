"""The answer of one data set in words and numbers, from the recommended method's fit and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ..figures.best_term import best_terms, unseen_splits
from ..figures.families import members_of, one_line_each
from ..figures.groups import order_conditions
from ..figures.style import method_label, plural, readable
from ..figures.trust import ALIKE, COUNTS, REPLACEABLE
from ..fits import Fit, is_finished
from ..prepared import split_terms

N_LINES = 10
CLEAR = 0.05  # AUROC from chance on: below this a term is about the same in two groups
MARKS = 0.65  # AUROC from which on a term is said to be higher in a cell type
MOSTLY = 50  # %: a term of which others can say more is needed partly
AS_WELL = 0.01  # AUROC: a plain score that comes so near does as well
ANNOTATED = "annotated"


@dataclass
class Line:
    """One term of the answer, or one family: what is said of it, each part empty if not known.

    Attributes
    ----------
    term, others
        Its name, and the other members of its family.
    higher
        In which condition, and in which cell types.
    auroc, auroc_spread
        On cells that the fit never saw, and over the folds; NaN and empty where not measured.
    repeated
        In how many halves of the cells, and of the donors, it is on again.
    needed
        Its necessity and what stands in for it, in words.
    """

    term: str
    others: list[str] = field(default_factory=list)
    higher: str = ""
    auroc: float = float("nan")
    auroc_spread: str = ""
    repeated: str = ""
    needed: str = ""


@dataclass
class Answer:
    """What the first page of a data set says.

    Attributes
    ----------
    dataset, method
        Their names; the method's as in figures.
    headline
        The one finding.
    lines
        The most relevant terms.
    plain
        Whether a plain score does as well.
    cost
        What one fit took.
    counts
        How many gene sets are on, and detected.
    lost
        Which gene sets the preparation left out: a sentence, and name -> why of each.
    missing
        What this run did not measure, and what would.
    """

    dataset: str
    method: str
    headline: str
    lines: list[Line]
    plain: str
    cost: str
    counts: str
    lost: tuple[str, dict[str, str]]
    missing: list[str]


def name_of(term: str) -> str:
    """Write a term's name for people, on one line."""
    return readable(term, 1000)


def find_answer(
    fit: Fit,
    tables: Mapping[str, pd.DataFrame],
    *,
    dataset: str,
    labels: Mapping[str, str],
    scores: Sequence[str] = (),
    conditions: Mapping[str, str] | None = None,
    expected: Sequence[str] = (),
    sizes: tuple[int, int],
) -> Answer:
    """Put together what is known of the recommended method's most relevant terms.

    Parameters
    ----------
    fit
        The method's fit of its first seed.
    tables
        Of the data set, by name: terms, and where there are any accuracy, folds, separation,
        stability, necessity and gene_sets.
    dataset
        Its name.
    labels
        Method -> its name in figures.
    scores
        Methods that are plain scores.
    conditions
        Value of the condition -> its name.
    expected
        Terms that are known to matter.
    sizes
        Numbers of cells and genes.
    """
    method, seed = fit.method, int(fit.about["seed"])
    own = {
        name: table[(table["method"] == method) & (table.get("seed", seed) == seed)]
        for name, table in tables.items()
        if "method" in table
    }
    terms = own["terms"]
    terms = terms[terms["kind"] == ANNOTATED]
    on = terms[terms["active"].astype(bool)]
    members = members_of(terms)
    shown = one_line_each(on, members).nsmallest(N_LINES, "rank")
    named = _condition_names(fit.obs, conditions)
    lines = [
        Line(
            term, members.get(term, []), _higher(own.get("separation"), term, named),
            *_unseen(own, method, term, scores), _repeated(own.get("stability"), term),
            _needed(own.get("necessity"), term),
        )
        for term in shown["term"]
    ]  # fmt: skip
    label = method_label(method, labels)
    headline = _headline(lines, label, named)
    if not is_finished(fit.about):
        headline = f"{label} was stopped by its time budget, so there is no answer yet."
    return Answer(
        dataset, label, headline, lines,
        _plain(tables.get("accuracy"), method, scores, labels), _cost(fit, label, sizes),
        _counts(terms), _lost(tables.get("gene_sets"), expected), _missing(own, lines),
    )  # fmt: skip


def _condition_names(obs: pd.DataFrame, conditions: Mapping[str, str] | None) -> dict[str, str]:
    if "condition" not in obs:
        return {}
    return order_conditions(obs["condition"], conditions or {})


def _higher(separation: pd.DataFrame | None, term: str, named: Mapping[str, str]) -> str:
    """Say in which condition a term is higher, and in which cell types."""
    if separation is None:
        return ""
    own = separation[separation["term"] == term].set_index(["label", "value"])["auroc"]
    said = []
    if "condition" in own.index.get_level_values(0):
        of = own["condition"].rename(index=str).sort_values()
        top, low = of.index[-1], of.index[0]
        if of.iloc[-1] < 0.5 + CLEAR:
            said.append("about the same in all conditions")
        else:
            word = "higher" if len(of) == 2 else "highest"
            said.append(f"{word} in {named.get(top, top)}")
            if len(of) > 2:
                said[-1] += f", lowest in {named.get(low, low)}"
    if "cell_type" in own.index.get_level_values(0):
        of = own["cell_type"].sort_values(ascending=False)
        most = [str(value) for value in of[of >= MARKS].index[:2]]
        if most:
            said.append(f"more in {' and '.join(most)}")
    return "; ".join(said)


def _unseen(
    own: Mapping[str, pd.DataFrame], method: str, term: str, scores: Sequence[str]
) -> tuple[float, str]:
    """Return a term's AUROC on unseen cells, and how it spreads over the folds."""
    accuracy = own.get("accuracy")
    if accuracy is None:
        return float("nan"), ""
    rows = accuracy[(accuracy["term"] == term) & (accuracy["label"] == "condition")]
    auroc = rows.set_index("split")["auroc"]
    split = next((s for s in unseen_splits(method, scores) if s in auroc.index), None)
    if split is None:
        return float("nan"), ""
    folds = own.get("folds")
    folds = folds[folds["term"] == term] if folds is not None else pd.DataFrame()
    if folds.empty:
        return float(auroc[split]), ""
    by_family = folds["family_auroc"].notna().all()
    each = folds["family_auroc" if by_family else "auroc"]
    is_on = folds["family_active" if by_family else "active"].astype(bool)
    spread = f"{each.min():.2f} to {each.max():.2f} over {plural(len(folds), 'fold')}"
    return float(auroc[split]), f"{spread}, on in {is_on.sum()} of {len(folds)}"


def _repeated(stability: pd.DataFrame | None, term: str) -> str:
    """Say in how many halves of the cells and of the donors a term is on again."""
    if stability is None:
        return ""
    said = []
    for kind, word in (("halves", "halves of the cells"), ("donors", "halves of the donors")):
        rows = stability[stability["kind"] == kind].set_index("term")
        if "(number of pairs)" not in rows.index:
            continue
        n, row = int(rows.loc["(number of pairs)", "r"]), rows.reindex([term]).iloc[0]
        n_on = 0 if pd.isna(row["n_pairs"]) else int(row["n_pairs"])
        text = f"in {word} {n_on} of {n} times"
        said.append(text + (f" (scores agree by {row['r']:.2f})" if n_on else ""))
    return ", ".join(said)


def _needed(necessity: pd.DataFrame | None, term: str) -> str:
    """Say whether the cells need a term, and what stands in for it."""
    if necessity is None or term not in set(necessity["term"]):
        return ""
    row = necessity.set_index("term").loc[term]
    alone = max(0.0, float(row["irreplaceable"]))
    stand_ins = split_terms(row["stand_ins"])
    alike = bool(stand_ins) and not row["stand_in_r"] < ALIKE
    rise = row["carried"] * row["share"] / row["necessity"]
    if rise < COUNTS:
        return "hardly: the fit is nearly as good without it"
    if round(100 * alone) <= REPLACEABLE:
        if alike:
            agree = f"(scores agree by {row['stand_in_r']:.2f})"
            return f"not by this name: {name_of(stand_ins[0])} says the same {agree}"
        return "not by this name: other terms together take its place"
    percent = round(100 * min(1.0, alone))
    first = name_of(stand_ins[0]) if alike and percent < 100 else ""
    if percent < MOSTLY:
        text = f"partly: others can say {100 - percent}% of what it explains"
        return text + (f", above all {first}" if first else "")
    text = f"yes: no other set can say {percent}% of what it explains"
    return text + (f"; the rest is said above all by {first}" if first else "")


def _headline(lines: Sequence[Line], label: str, named: Mapping[str, str]) -> str:
    if not lines:
        return f"{label} switches every gene set off: these cells are explained without any."
    told = [line for line in lines if not pd.isna(line.auroc)]
    if not told:
        first = lines[0]
        where = f", {first.higher}" if first.higher else ""
        return f"The gene set that matters most is {name_of(first.term)}{where}."
    best = max(told, key=lambda line: line.auroc)
    groups = " and ".join(named.values()) if len(named) == 2 else "the conditions"
    where = f" ({best.higher.split(';')[0]})" if best.higher else ""
    return (
        f"{name_of(best.term)} tells {groups} apart best{where}: AUROC {best.auroc:.2f} on cells "
        "that the fit never saw."
    )


def _plain(
    accuracy: pd.DataFrame | None, method: str, scores: Sequence[str], labels: Mapping[str, str]
) -> str:
    """Say whether a plain score separates the conditions as well as the method does."""
    if accuracy is None:
        return ""
    best = best_terms(accuracy, [method, *(s for s in scores if s != method)], scores)
    best = best.set_index("method").assign(told=lambda t: t["unseen"].fillna(t["all"]))
    plain = best.drop(index=method, errors="ignore")
    if method not in best.index or plain.empty:
        return "No plain score was run, so it is not known whether one does as well."
    own, name = best.loc[method], plain["told"].idxmax()
    score = plain.loc[name]
    seen = "" if pd.isna(own["unseen"]) else " on unseen cells"
    numbers = (
        f"the best one, {method_label(name, labels)}, reaches AUROC {score['told']:.2f} "
        f"({name_of(score['term'])}), the method {own['told']:.2f}{seen} ({name_of(own['term'])})"
    )
    if score["told"] < own["told"] - AS_WELL:
        return f"A plain score of each set does not do as well: {numbers}."
    return (
        f"A plain score of each set does as well at telling the conditions apart: {numbers}. What "
        "the method adds is which of the overlapping sets the cells need, and which genes of a set."
    )


def _cost(fit: Fit, label: str, sizes: tuple[int, int]) -> str:
    if not is_finished(fit.about):
        return ""
    seconds = float(fit.about["seconds"])
    took = f"{seconds:.1f} seconds" if seconds >= 1 else f"{seconds:.2f} seconds"
    return f"One fit of {label} took {took} ({sizes[0]:,} cells, {sizes[1]:,} genes)."


def _counts(terms: pd.DataFrame) -> str:
    if terms.empty:
        return ""
    text = f"{terms['active'].astype(bool).sum()} of {len(terms)} gene sets are on"
    tested = terms.get("q_value", pd.Series(dtype=float)).notna()
    if tested.any():
        found = terms.loc[tested, "detected"].astype(bool).sum()
        text += (
            f"; in {found} the genes move together more than other genes do "
            "(false discovery rate 5%)"
        )
    return text + "."


def _lost(gene_sets: pd.DataFrame | None, expected: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Say which gene sets the preparation left out, those expected first."""
    if gene_sets is None:
        return "", {}
    lost = gene_sets[~gene_sets["kept"].astype(bool)]
    if lost.empty:
        return f"All {len(gene_sets)} gene sets were kept.", {}
    why = {
        row.name: f"{row.why}: {row.kept_genes} of its {row.n_genes} genes are among those analysed"
        for row in lost.drop(columns="dataset", errors="ignore").itertuples(index=False)
    }
    why = {str(name): why[name] for name in lost["name"]}
    text = f"{len(lost)} of {len(gene_sets)} gene sets were left out before the fit, most of them "
    text += f"because of: {lost['why'].value_counts().index[0]}."
    missed = [name for name in expected if name in why]
    if missed:
        text += (
            f" Among them are sets that were expected to matter: {', '.join(map(name_of, missed))}."
        )
    return text, {name: why[name] for name in [*missed, *(n for n in why if n not in missed)]}


def _missing(own: Mapping[str, Any], lines: Sequence[Line]) -> list[str]:
    """Say what is not known, and what would tell it."""
    missing = []
    if "accuracy" not in own:
        missing.append(
            "These data name no condition (labels: condition), so nothing is said of separation."
        )
    if not lines:
        return missing
    if "accuracy" in own and all(pd.isna(line.auroc) for line in lines):
        missing.append("The method was not tested on unseen cells (its key folds).")
    if not any(line.repeated for line in lines):
        missing.append("It was not fitted to halves of the cells (its key halves).")
    if not any(line.needed for line in lines):
        missing.append("Only the exact autoencoder says what each term is needed for.")
    return missing

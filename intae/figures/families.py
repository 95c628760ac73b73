"""One line per family of terms among which the data cannot decide, with its members.

See :mod:`intae.metrics.families`. Methods that find none have a line per term, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from .style import first_seed, readable

NAMED = 2  # members named beside the one that names the family; the others are counted


def members_of(terms: pd.DataFrame) -> dict[str, list[str]]:
    """List the families of several terms of which one is on, as the first seed has them.

    Parameters
    ----------
    terms
        Rows of terms.csv of one method.

    Returns
    -------
    The term that names the family, its most relevant one -> the others, the most relevant first.
    """
    if "family" not in terms:
        return {}
    first = terms[(terms["seed"] == first_seed(terms)) & (terms["kind"] == "annotated")]
    first = first[first["family"].notna()].sort_values("rank", kind="stable")
    found = {}
    for family, part in first.groupby("family", sort=False):
        if len(part) > 1 and part["active"].any():
            found[str(family)] = [term for term in part["term"] if term != family]
    return found


def relatives(terms: pd.DataFrame) -> dict[str, list[str]]:
    """Return the other members of the family of each term that is in one; see `members_of`."""
    families = [[name, *others] for name, others in members_of(terms).items()]
    return {term: [t for t in names if t != term] for names in families for term in names}


def one_line_each(terms: pd.DataFrame, members: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Keep one row per family and seed: that of its most relevant term, by the family's name.

    Another seed may have the family under another of its names; that is one line all the same.

    Parameters
    ----------
    terms
        Rows of terms.csv of one method.
    members
        Its families: :func:`members_of`.

    Returns
    -------
    The rows, ranked anew within each seed. All of them, as they are, where there are no families.
    """
    if not members:
        return terms
    family = {term: name for name, others in members.items() for term in others}
    lines = terms.sort_values(["seed", "rank"], kind="stable")
    lines = lines.assign(term=lines["term"].replace(family))
    lines = lines.drop_duplicates(["seed", "term"])  # the first is the most relevant
    return lines.assign(rank=lines.groupby("seed")["rank"].rank().astype(int))


def family_label(term: str, members: Mapping[str, Sequence[str]], width: int = 38) -> str:
    """Name a term, and below it the others of its family: the first of them, and how many more."""
    others = members.get(term, ())
    if not others:
        return readable(term, width)
    named = ", ".join(others[:NAMED])
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    return f"{readable(term, width)}\n{readable(f'or {named}{more}', width)}"


def expected_in(
    lines: Iterable[str], members: Mapping[str, Sequence[str]], expected: Iterable[str]
) -> list[str]:
    """Return the lines that are an expected term, or whose family holds one."""
    wanted = set(expected)
    return [line for line in lines if wanted & {line, *members.get(line, ())}]

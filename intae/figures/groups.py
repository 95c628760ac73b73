"""Groups of cells, by a label: their order, their names and their colours in all figures."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from .style import Color, label_colors

log = logging.getLogger(__name__)

# beginnings of the names that conditions without a treatment or a disease have
CONTROLS = re.compile(
    r"(ctrl|ctl|control|hc\b|healthy|normal|naive|wt\b|wild.?type|untreated|unstim|mock|vehicle"
    r"|none\b|baseline|resting)",
    re.IGNORECASE,
)


def order_conditions(values: pd.Series, names: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the values of a condition in the order of figures, each with its name there.

    Those named come first, in the order of their names; of the others controls come first, then
    the order of an ordered categorical, or of the names, numbers in them read as numbers.

    Parameters
    ----------
    values
        The condition of each cell.
    names
        Value -> its name in figures; those that are no value of these cells are left out.
    """
    given = set(values.dropna().astype(str))
    absent = [value for value in names if value not in given]
    if absent:
        log.warning("conditions: no cell has %s; left out", ", ".join(map(repr, absent)))
    if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered:
        rest = [value for value in values.cat.categories.astype(str) if value in given]
    else:
        rest = sorted(given, key=_natural)
        rest = sorted(rest, key=lambda value: not CONTROLS.match(value))
    order = [value for value in names if value in given]
    order += [value for value in rest if value not in names]
    return {value: names.get(value, value) for value in order}


def choose_cell_types(values: pd.Series, wanted: Sequence[str], n_most: int) -> list[str]:
    """Return the cell types asked for, or the most frequent ones, most frequent first."""
    values = values.dropna().astype(str)
    given = set(values)
    absent = [cell_type for cell_type in wanted if cell_type not in given]
    if absent:
        log.warning(
            "cell types: no cell is %s; there are %s",
            ", ".join(map(repr, absent)), ", ".join(map(repr, sorted(given))),
        )  # fmt: skip
    return [c for c in wanted if c in given] or list(values.value_counts().index[:n_most])


def _natural(value: str) -> list[tuple[bool, float, str]]:
    parts = re.split(r"(\d+)", value)
    return [(not p.isdigit(), float(p) if p.isdigit() else 0.0, p.lower()) for p in parts if p]


def palette_of(
    values: pd.Series, role: str, conditions: Mapping[str, str] | None = None
) -> dict[str, tuple[str, Color]]:
    """Give each value of a label its name and its colour, in order.

    Parameters
    ----------
    values
        The label of all cells, so that a value has one colour whichever cells a figure shows.
    role
        What the label is: condition, cell_type, batch or donor.
    conditions
        Value of the condition -> its name, in the order wanted.

    Returns
    -------
    Value -> its name and its colour; a missing label is a value of its own, "nan".
    """
    names = order_conditions(values, conditions or {}) if role == "condition" else {}
    names |= {value: value for value in sorted({*values.astype(str)} - {*names})}
    colors = label_colors(list(names), role)
    return {value: (name, colors[value]) for value, name in names.items()}

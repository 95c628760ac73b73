"""Ways to group the cells of a page, by their labels, and which cells are shown one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from ..figures.groups import palette_of
from .pack import Block

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_GROUPS = 40  # of one label; more cannot be read side by side
ROLES = ("condition", "cell_type", "batch", "donor")
EVERYTHING = "all cells"


@dataclass
class View:
    """One way to group the cells: by a label, maybe each of its groups by condition as well.

    Attributes
    ----------
    label
        The column of obs; :data:`EVERYTHING` where all cells are one group.
    split
        The second column of obs, or None.
    groups
        Value of the label (and of the second) -> which cells, as positions.
    n_left_out
        Number of the label's values that are too many to show; the smallest are left out.
    """

    label: str
    split: str | None
    groups: dict[tuple[str, ...], np.ndarray]
    n_left_out: int = 0


def views_of(obs: pd.DataFrame) -> list[View]:
    """List the ways to group cells: by each label, and by each label and condition; never none."""
    roles = [role for role in ROLES if role in obs and obs[role].notna().any()]
    views = []
    for role in roles:
        values = obs[role].astype(str)
        counts = values.value_counts()
        kept = sorted(counts.index[:MAX_GROUPS], key=_natural)
        for split in (None, "condition"):
            if split is None:
                groups = {(v,): np.flatnonzero(values == v) for v in kept}
            elif role != split and split in roles:
                groups = _crossed(values, obs[split].astype(str), kept)
            else:
                continue
            views.append(View(role, split, groups, len(counts) - len(kept)))
    if not views:
        views.append(View(EVERYTHING, None, {(EVERYTHING,): np.arange(len(obs))}))
    return views


def _crossed(
    first: pd.Series, second: pd.Series, kept: Sequence[str]
) -> dict[tuple[str, ...], np.ndarray]:
    pairs = [(a, b) for a in kept for b in sorted(second.unique(), key=_natural)]
    cells = {(a, b): np.flatnonzero((first == a) & (second == b)) for a, b in pairs}
    return {pair: found for pair, found in cells.items() if len(found)}


def _natural(value: str) -> tuple[int, float, str]:
    """Sort donor 2 before donor 10."""
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value


def sample_cells(n_cells: int, n_wanted: int, seed: int) -> np.ndarray:
    """Draw the positions of the cells that are shown one by one, in order."""
    if n_cells <= n_wanted:
        return np.arange(n_cells)
    return np.sort(np.random.default_rng(seed).choice(n_cells, n_wanted, replace=False))


def quantiles(loadings: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """Return the quantiles of each term's loadings in each group.

    Parameters
    ----------
    loadings
        cells x terms.
    views
        Groups of cells; those of all views in order.

    Returns
    -------
    terms x groups x quantiles (:data:`QUANTILES`).
    """
    groups = [cells for view in views for cells in view.groups.values()]
    found = [np.quantile(loadings[cells], QUANTILES, axis=0) for cells in groups]
    return np.stack(found).transpose(2, 0, 1)


def pack_view(
    block: Block,
    view: View,
    obs: pd.DataFrame,
    shown: np.ndarray,
    conditions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Describe a view; `member` says of each cell shown in which group it is, 1 the first."""
    member = np.zeros(len(obs), dtype=int)
    for number, cells in enumerate(view.groups.values(), start=1):
        member[cells] = number
    # the colours of a label are those that its values have in the other figures
    role = view.split or view.label
    values = obs[role] if role in obs else pd.Series([role])
    palette = {
        v: mpl.colors.to_hex(c) for v, (_, c) in palette_of(values, role, conditions).items()
    }
    return {
        "label": view.label,
        "split": view.split,
        "groups": [list(group) for group in view.groups],
        "colors": [palette[group[-1]] for group in view.groups],
        "sizes": [len(cells) for cells in view.groups.values()],
        "n_left_out": view.n_left_out,
        "member": block.add(member[shown], "u2"),
    }

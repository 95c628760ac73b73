"""What depends on the parameters of a sweep: one heat map per result, the default outlined."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from .style import readable, set_style, write_readably

ACCURACY = "best_accuracy_held_out"
PANELS = {
    "variance_explained_held_out": ("variance of held-out\ncells explained", "{:.3f}"),
    "n_active": ("active gene sets", "{:,.0f}"),
    "genes_added": ("genes added\nto their sets", "{:,.0f}"),
    "median_r": ("agreement with the default:\nmedian |r| of loadings", "{:.2f}"),
    "jaccard": ("agreement with the default:\nJaccard index of active terms", "{:.2f}"),
    ACCURACY: ("accuracy of the best term\non held-out cells", "{:.3f}"),
}
LOWEST = {ACCURACY: 0.5}  # where colours begin, else at 0
SHARES = ("median_r", "jaccard", ACCURACY)  # colours end at 1
NAMES = {
    "fraction1": "fraction1: penalty on added genes",
    "fraction3": "fraction3: penalty on whole terms",
}
COLUMNS = 3
Cells = list[list["pd.Series | None"]]


def plot_sweep(sweep: pd.DataFrame, grid: Mapping[str, Sequence[Any]], label: str) -> Figure:
    """Draw the results of one sweep, one panel each: the grid, and single points below it.

    Parameters
    ----------
    sweep
        Rows of the table sweep.csv of one data set and sweep.
    grid
        Parameter -> its values. The last one runs along the columns, the others down the rows.
    label
        How figures name the method.
    """
    set_style()
    panels = [name for name in PANELS if sweep[name].notna().any()]
    letters = _letters(sweep)
    table = [row for _, row in sweep[sweep["kind"] == "grid"].iterrows()]
    default = sweep[sweep["kind"] == "default"].iloc[0]
    *down, along = grid or [""]
    rows = [dict(zip(down, v, strict=True)) for v in itertools.product(*(grid[n] for n in down))]
    columns = [{along: value} for value in grid.get(along, ())]
    cells = [[_find(table, row | column) for column in columns] for row in rows]
    single = [row for _, row in sweep[sweep["kind"] == "point"].iterrows()]
    beside = len(down) == 1 and len(rows) > 3  # room for the parameter's name along the rows
    names = [str(row[down[0]]) if beside else _values(row) for row in rows]
    blocks = [(cells, names)] if grid else []
    single = [default, *single]
    blocks.append(([[row] for row in single], [row["point"].replace(", ", "\n") for row in single]))

    heights = [len(block) for block, _ in blocks]
    n_rows = -(-len(panels) // COLUMNS)
    figure, axes = plt.subplots(
        n_rows * len(blocks),
        COLUMNS,
        figsize=(
            2 + COLUMNS * max(2.9, 0.7 * len(columns)),
            n_rows * (1.7 + 0.36 * sum(heights)) + 0.22 * len(letters),
        ),
        height_ratios=heights * n_rows,
        squeeze=False,
    )
    for axis in axes.ravel():
        axis.set_axis_off()
    for i, name in enumerate(panels):
        place = i // COLUMNS * len(blocks), i % COLUMNS
        for j, (block, labels) in enumerate(blocks):
            axis = axes[place[0] + j, place[1]]
            axis.set_axis_on()
            _heat(axis, block, name, sweep[name], letters)
            axis.set_xticks([])
            axis.set_yticks(np.arange(len(labels)) + 0.5, labels if place[1] == 0 else [])
            axis.tick_params(length=0)
            axis.tick_params(axis="y", labelrotation=0)
        top = axes[place]
        top.set_title(PANELS[name][0], loc="left")
        if grid:
            _outline(top, block=cells, default=default, grid=grid)
            top.set_xticks(np.arange(len(columns)) + 0.5, [str(c[along]) for c in columns])
            top.set_xlabel(NAMES.get(along, along).replace(": ", ":\n"))
            if beside and place[1] == 0:
                top.set_ylabel(NAMES.get(down[0], down[0]).replace(": ", ":\n"))
    figure.set_layout_engine("constrained")  # only now: seaborn draws the figure for each heat map
    figure.suptitle(
        f"{label}, {default['dataset']}: fitted to {default['n_cells']:,} cells, "
        f"{default['n_held_out']:,} held out",
        x=0.01, ha="left", fontsize=11,
    )  # fmt: skip
    if letters:
        handles = [
            Line2D([], [], linestyle="none", label=f"{letter}:  {readable(term, 100)}")
            for term, letter in letters.items()
        ]
        figure.legend(
            handles=handles, title="best term", loc="outside lower left", frameon=False,
            alignment="left", handlelength=0, handletextpad=0,
        )  # fmt: skip
    return figure


def _values(row: Mapping[str, Any]) -> str:
    """Write what a row of the grid stands for."""
    return "\n".join(f"{name} {value}" for name, value in row.items())


def _letters(sweep: pd.DataFrame) -> dict[str, str]:
    """Give each term that is best somewhere a letter, the most frequent first."""
    terms = sweep["best_term"].dropna().value_counts().index
    return {term: ascii_letters[i % len(ascii_letters)] for i, term in enumerate(terms) if term}


def _heat(
    axis: Axes, block: Cells, name: str, everywhere: pd.Series, letters: Mapping[str, str]
) -> None:
    """Draw the values of one result, the same colours for grid and single points."""
    values = np.array([[np.nan if row is None else row[name] for row in line] for line in block])
    values = values.astype(float)
    texts = [[_note(row, name, letters) for row in line] for line in block]
    low = min(LOWEST.get(name, 0.0), everywhere.min())
    high = max(1.0 if name in SHARES else 0.0, everywhere.max())
    sns.heatmap(
        values, annot=np.array(texts), fmt="", ax=axis, cmap="Blues", cbar=False, linewidths=1,
        vmin=low, vmax=high + 0.3 * (high - low) + 1e-9,
        annot_kws={"fontsize": 9},
    )  # fmt: skip
    write_readably(axis)


def _note(row: pd.Series | None, name: str, letters: Mapping[str, str]) -> str:
    if row is None or pd.isna(row[name]):
        return ""
    note = PANELS[name][1].format(row[name])
    return f"{note} {letters.get(row['best_term'], '')}".strip() if name == ACCURACY else note


def _outline(axis: Axes, block: Cells, default: pd.Series, grid: Mapping[str, Any]) -> None:
    """Frame the cell of the grid that has the default's values."""
    for i, line in enumerate(block):
        for j, row in enumerate(line):
            if row is not None and all(_same(row[name], default[name]) for name in grid):
                frame = Rectangle((j, i), 1, 1, fill=False, edgecolor="black", linewidth=2)
                axis.add_patch(frame).set_clip_on(False)


def _find(rows: Sequence[Any], point: Mapping[str, Any]) -> Any:
    """Return the first row with these values."""
    found = (row for row in rows if all(_same(row[name], v) for name, v in point.items()))
    return next(found, None)


def _same(a: Any, b: Any) -> bool:
    """Compare values of which one went through a file with six digits."""
    try:
        return bool(np.isclose(float(a), float(b), rtol=1e-4, atol=0))
    except (TypeError, ValueError):
        return str(a) == str(b)

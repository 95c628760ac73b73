"""What all figures share: colours, names, notes beside bars, and how a figure is saved."""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..benchmark.registry import METHODS
from ..io import whole_file

Color = tuple[float, float, float]
STAR = "\N{BLACK STAR}"


def set_style() -> None:
    """Set seaborn's style for all figures; text stays text in PDF files."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.dpi": 100,
            "savefig.dpi": 160,
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9,
            "legend.title_fontsize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "pdf.fonttype": 42,
            "text.parse_math": False,  # labels of the data may hold a dollar sign
        },
    )


def method_colors(methods: Iterable[str]) -> dict[str, Color]:
    """Give each method of the config its colour; one of the user's own gets a free one."""
    methods = list(methods)
    own = [m for m in methods if m not in METHODS]
    taken = {METHODS[m] for m in methods if m in METHODS}
    free = [c for c in dict.fromkeys(METHODS.values()) if c not in taken]
    free += sns.color_palette("husl", max(0, len(own) - len(free))).as_hex()
    colors = dict(zip(own, free, strict=False)) | METHODS
    return {method: mpl.colors.to_rgb(colors[method]) for method in methods}


MODEL_MARKS = "oshp8DPX"  # of methods that share a hue, from the first to the last
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), "-.")


def looks(methods: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Give methods that share a hue different marks and dashes: method -> mark, line style."""
    shared: dict[object, int] = {}
    found = {}
    for method, color in method_colors(methods).items():
        hue, _, saturation = colorsys.rgb_to_hls(*color)
        kind = round(12 * hue) % 12 if saturation > 0.12 else "grey"
        number = shared.get(kind, 0)
        shared[kind] = number + 1
        found[method] = MODEL_MARKS[number % len(MODEL_MARKS)], DASHES[number % len(DASHES)]
    return found


def _light(color: Sequence[float]) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(color: Sequence[float]) -> str:
    """Return black or white, whichever has the higher contrast on a colour."""
    return "black" if _light(color) > 0.179 else "white"


def write_readably(axis: Axes) -> None:
    """Give each number in a heat map of seaborn's the ink that is read best on its cell.

    seaborn itself writes white on colours as light as a contrast of 2.3 to 1.
    """
    mesh = axis.collections[0]
    mesh.update_scalarmappable()
    colors = mesh.get_facecolors().reshape(*mesh.get_array().shape, 4)
    for text in axis.texts:
        x, y = text.get_position()
        text.set_color(ink_on(colors[int(y), int(x)]))


def edge_color(color: Color) -> Color:
    """Darken a colour that is too pale for a thin line on white (contrast below 3 to 1)."""
    light = _light(color)
    share = min(1.0, (0.3 / light) ** (1 / 2.2)) if light else 1.0
    return tuple(share * c for c in color)


# The qualitative scheme "muted" of Paul Tol's technical note (2021), for groups other than
# conditions, which stand beside those and beside the methods. Its violets come last.
MUTED = (
    "#CC6677", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#BBBBBB",
    "#AA4499", "#332288",
)  # fmt: skip
# Conditions run from light to dark in a hue that no method of the main figures has.
CONDITIONS = ("#AF98E6", "#6A3DB2")
N_SHADES = 4  # that are told apart


def label_colors(values: Sequence[str], label: str = "condition") -> dict[str, Color]:
    """Give each value of a label its colour, safe for the colour-blind up to ten of them.

    Conditions have other colours than the values of any other label, and up to four of them other
    colours than the methods.
    """
    n = len(values)
    if label == "condition" and n <= N_SHADES:
        palette = sns.blend_palette(CONDITIONS, max(n, 2))[:n]
    elif n <= len(MUTED):
        palette = "colorblind" if label == "condition" else MUTED[:n]
    else:
        palette = "husl"
    return dict(zip(values, sns.color_palette(palette, n), strict=True))


def readable(term: str, width: int = 38) -> str:
    """Write the name of a term for people: no underscores, broken into lines, never cut."""
    return "\n".join(textwrap.wrap(term.replace("_", " "), width))


def term_label(asked: str, shown: str | None, width: int = 38) -> str:
    """Name the term that is shown for the one asked for, and say where that one is not shown.

    Parameters
    ----------
    asked
        The term asked for.
    shown
        The term shown for it: itself, one near it, or None where it is off and not read, and none
        is near.
    width
        Letters per line.
    """
    if shown == asked:
        return readable(asked, width)
    if shown is None:
        return readable(f"{asked} is off", width)
    return f"{readable(shown, width)}\n{readable(f'(for {asked}, which is off)', width)}"


def method_label(method: str, labels: Mapping[str, str]) -> str:
    """Return how figures name a method."""
    return labels.get(method, method)


def methods_in(table: pd.DataFrame, labels: Iterable[str]) -> list[str]:
    """Return the methods that a table has rows of, in the order of the labels."""
    known = set(table["method"])
    return [method for method in labels if method in known]


def recommended_first(methods: Iterable[str], recommended: str | None) -> list[str]:
    """Put the recommended method before the others, which keep their order."""
    return sorted(methods, key=lambda method: method != recommended)


def first_seed(table: pd.DataFrame) -> int:
    """Return the seed of the first rows of a table."""
    return table["seed"].iloc[0] if len(table) else 0


def span(low: float, high: float, form: str = "") -> str:
    """Write the least and the largest of some numbers, or the one number that they are."""
    first, last = f"{low:{form}}", f"{high:{form}}"
    return first if first == last else f"{first} to {last}"


def plural(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number} {noun}{'s'[: number != 1]}"


def write(
    axis: Axes, x: float, y: float, text: str, *, pad: float = 4, size: float = 8, **style: Any
) -> None:
    """Write beside the end of a horizontal bar or line, `pad` points to the right of it."""
    axis.annotate(
        text, (x, y), xytext=(pad, 0), textcoords="offset points", va="center", fontsize=size,
        **style,
    )  # fmt: skip


def say(axis: Axes, text: str, **style: Any) -> None:
    """Write in the middle of a panel what there is to say in place of data."""
    style = {"ha": "center", "va": "center", "color": "0.4"} | style
    axis.text(0.5, 0.5, text, transform=axis.transAxes, **style)


def separate_rows(axis: Axes, n_rows: int) -> None:
    """Draw pale lines between the rows of a vertical axis, the first row above."""
    for k in range(1, n_rows):
        axis.axhline(k - 0.5, color="0.9", lw=0.8, zorder=0)
    axis.set_ylim(max(1, n_rows) - 0.5, -0.5)


def mark_expected(axis: Axes, terms: Sequence[str], expected: Iterable[str]) -> None:
    """Put a star before the expected ones among the terms on a vertical axis, in bold letters.

    Parameters
    ----------
    axis
        Its ticks are the terms.
    terms
        The terms, in the order of the ticks.
    expected
        Names of terms.
    """
    marked = [term in set(expected) for term in terms]
    names = [tick.get_text() for tick in axis.get_yticklabels()]
    names = [f"{STAR} {name}" if m else name for name, m in zip(names, marked, strict=True)]
    axis.set_yticks(axis.get_yticks(), names)
    for tick, m in zip(axis.get_yticklabels(), marked, strict=True):
        tick.set_fontweight("bold" if m else "normal")


def expected_legend(figure: Figure, terms: Iterable[str], expected: Iterable[str]) -> None:
    """Explain the star under a figure, where one of its terms has it."""
    if set(terms) & set(expected):
        handle = Line2D([], [], ls="", marker="*", color="black", ms=9, label="expected term")
        figure.legend(handles=[handle], loc="outside lower right", frameon=False)


NO_TERMS = "no method with gene sets has finished its fit"


def without_data(why: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = Figure(figsize=(6, 1))
    figure.text(0.5, 0.5, f"Nothing to draw: {why}.", ha="center", va="center")
    return figure


def save_figure(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Save a figure to each of the paths, by its suffix, whole or not at all."""
    # laid out and measured once for all files: that takes as long as drawing does
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # after "none", savefig would draw once more for the layout
    box = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])
    for path in paths:
        with whole_file(path) as part:
            figure.savefig(part, bbox_inches=box, facecolor="white")

"""What a figure of a run is: a row of the table of figures, and how all of them are drawn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .inputs import Facts, Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

log = logging.getLogger(__name__)

# The categories of the report, in the order of its menu.
ANSWER = "1. The answer"
MAIN = "2. Figures"
PAPER = "3. Paper against this run"
APPENDIX = "4. Appendix"
TABLES = "5. Tables"


@dataclass(frozen=True)
class Figure:
    """A row of the table of figures.

    Attributes
    ----------
    name
        Stem of its files, and of its caption in `report/`.
    category, title
        Where the report lists it, and as what. The title may hold {dataset} and {sweep}. The
        report sorts by it, so those of the main figures begin with a number.
    draw
        Draws it from the inputs and the facts.
    when
        Which data sets have it: the name of a question that `intae.benchmark.plan` answers.
    per
        What one figure shows: a dataset, a sweep, a simulation, or the run.
    tables
        Tables of the data set that it reads, as far as the data set has them.
    needs
        What it reads besides: prepared, fits (all seeds of the methods shown) or first_fits, and
        runtime and implanted_calls, tables of the whole run.
    by_dataset
        Whether the report lists it under the data set.
    """

    name: str
    category: str
    title: str
    draw: Callable[[Inputs, Facts], Drawn]
    when: str
    per: str
    tables: tuple[str, ...]
    needs: frozenset[str]
    by_dataset: bool

    @property
    def caption(self) -> str:
        """Path of the caption, beside the Snakefile."""
        return f"report/{self.name}.rst"

    def parts(self, facts: Facts) -> list[str]:
        """Return the sweeps that have a figure each; of other figures one part, ''."""
        return list(facts.get("sweeps", ())) if self.per == "sweep" else [""]

    def stem(self, part: str = "") -> str:
        """Return the path of a figure in the folder of its data set, without an ending."""
        return f"{self.name}_{part}" if part else self.name

    def label(self, facts: Facts, part: str = "") -> str:
        """Return what the report calls a figure."""
        return self.title.format(dataset=facts.get("dataset", ""), sweep=part)


FIGURES: dict[str, Figure] = {}


def figure(
    category: str,
    title: str,
    *,
    when: str,
    per: str = "dataset",
    tables: Sequence[str] = (),
    needs: Iterable[str] = (),
    by_dataset: bool = True,
) -> Callable[[Callable[[Inputs, Facts], Drawn]], Callable[[Inputs, Facts], Drawn]]:
    """Make a function the row of its name in `FIGURES`; see `Figure`."""

    def add(draw: Callable[[Inputs, Facts], Drawn]) -> Callable[[Inputs, Facts], Drawn]:
        name = draw.__name__
        row = (category, title, draw, when, per, tuple(tables), frozenset(needs), by_dataset)
        FIGURES[name] = Figure(name, *row)
        return draw

    return add


def draw_all(
    rows: Iterable[tuple[str, str]],
    inputs: Inputs,
    facts: Facts,
    paths: Iterable[Sequence[str | Path]],
) -> dict[str, str]:
    """Draw figures, one after the other, and save each whole.

    Parameters
    ----------
    rows
        Name and part (see `Figure.parts`) of each figure.
    inputs, facts
        Of all of them.
    paths
        For each figure the files to write, by their endings.

    Returns
    -------
    What each figure found, a sentence by its name (see :mod:`.findings`).

    Raises
    ------
    IntaeError
        What a figure raised, with the name of the figure. Other errors carry it as a note.
    """
    import matplotlib as mpl

    mpl.use("Agg")  # files, no windows
    from matplotlib import pyplot as plt

    from ..figures.style import save_figure
    from .findings import finding_of

    found = {}
    for (name, part), files in zip(rows, paths, strict=True):
        row = FIGURES[name]
        about: Facts = {**facts, **({row.per: part} if part else {})}  # type: ignore[typeddict-item]
        try:
            drawn = row.draw(inputs, about)
            save_figure(drawn, files)
            found[row.stem(part)] = finding_of(name, inputs, about)
        except IntaeError as error:
            msg = f"figure {row.stem(part)}: {error}"
            raise IntaeError(msg) from error
        except Exception as error:
            error.add_note(f"while drawing the figure {row.stem(part)}")
            raise
        plt.close(drawn)
        log.info("figure %s", row.stem(part))
    return found

"""The figures of a run: each is one function below, and the function's decorator is its row.

To add a figure: its plot function in `intae/figures/`, a function here, its caption in `report/`
and its test. The Snakefile reads the table, so this module imports no more than the standard
library; functions import what they draw with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntaeError
from .inputs import Facts, Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

    from ..fits import Fit

log = logging.getLogger(__name__)


JOINTS = {"method": "/", "sweep": "_"}  # between the name of a figure and its part


@dataclass(frozen=True)
class Figure:
    """A row of the table of figures.

    Attributes
    ----------
    name
        Stem of its files, and of its caption in `report/`.
    category, title
        Where the report lists it, and as what. The title may hold {dataset}, {label} (of the
        method) and {sweep}.
    draw
        Draws it from the inputs and the facts.
    when
        Which data sets have it: the name of a question that `intae.benchmark.plan` answers.
    per
        What one figure shows: a dataset, one method of it, a sweep, a simulation, or the run.
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
        """Return the methods or sweeps that have a figure each; of other figures one part, ''."""
        of = {"method": facts.get("shown", []), "sweep": list(facts.get("sweeps", ()))}
        return of.get(self.per, [""])

    def stem(self, part: str = "") -> str:
        """Return the path of a figure in the folder of its data set, without an ending."""
        return f"{self.name}{JOINTS.get(self.per, '')}{part}"

    def label(self, facts: Facts, part: str = "") -> str:
        """Return what the report calls a figure."""
        label = facts.get("labels", {}).get(part, part)
        return self.title.format(dataset=facts.get("dataset", ""), label=label, sweep=part)


FIGURES: dict[str, Figure] = {}
COST = "2. Cost"
SEPARATION = "3. Separation of conditions"
TERMS = "4. Terms"
TRUST = "5. How far to trust it"
PLANTED = "6. Planted truth"


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
) -> None:
    """Draw figures, one after the other, and save each whole.

    Parameters
    ----------
    rows
        Name and part (see `Figure.parts`) of each figure.
    inputs, facts
        Of all of them.
    paths
        For each figure the files to write, by their endings.

    Raises
    ------
    IntaeError
        What a figure raised, with the name of the figure. Other errors carry it as a note.
    """
    import matplotlib as mpl

    mpl.use("Agg")  # files, no windows
    from matplotlib import pyplot as plt

    from ..figures.style import save_figure

    for (name, part), files in zip(rows, paths, strict=True):
        row = FIGURES[name]
        about: Facts = {**facts, **({row.per: part} if part else {})}  # type: ignore[typeddict-item]
        try:
            drawn = row.draw(inputs, about)
            save_figure(drawn, files)
        except IntaeError as error:
            msg = f"figure {row.stem(part)}: {error}"
            raise IntaeError(msg) from error
        except Exception as error:
            error.add_note(f"while drawing the figure {row.stem(part)}")
            raise
        plt.close(drawn)
        log.info("figure %s", row.stem(part))


def _but_ablations(facts: Facts) -> dict[str, str]:
    """Return method -> label; ablations are shown in a figure of their own only."""
    return {m: label for m, label in facts["labels"].items() if facts["roles"][m] != "ablation"}


def _in_role(facts: Facts, *roles: str) -> list[str]:
    return [m for m, role in facts["roles"].items() if role in roles]


def _guess(inputs: Inputs) -> float:
    """Return the accuracy of always guessing the largest condition."""
    return float(inputs.obs["condition"].value_counts(normalize=True).max())


# ---- cost


@figure(COST, "runtime and memory", when="always", per="run", needs=["runtime"], by_dataset=False)
def cost(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw wall time and peak memory of every method; draws of a simulation are one data set."""
    from ..figures.cost import plot_cost

    runtime, labels = inputs.table("runtime"), _but_ablations(facts)
    runtime = runtime.assign(dataset=runtime["dataset"].replace(facts["draw_of"]))
    return plot_cost(runtime[runtime["method"].isin(list(labels))], labels)


@figure(
    COST, "against the number of cells, {dataset}", when="parts", by_dataset=False,
    tables=["scaling", "scaling_slopes"],
)  # fmt: skip
def scaling(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw time and memory of every method against the number of cells."""
    from ..figures.cost import plot_scaling

    return plot_scaling(inputs.table("scaling"), inputs.table("scaling_slopes"), facts["labels"])


# ---- separation


@figure(
    SEPARATION, "accuracy of single terms", when="condition",
    tables=["accuracy"], needs=["prepared"],
)  # fmt: skip
def accuracy(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how well single terms separate the condition."""
    from ..figures.separation import plot_accuracy

    table = inputs.table("accuracy")
    absent = [term for term in facts["terms"] if term not in set(table["term"])]
    if absent:
        log.warning("not terms of these data, so left out: %s", ", ".join(absent))
    return plot_accuracy(
        table, facts["labels"], facts["terms"], guess=_guess(inputs),
        roles=facts["roles"], permuted=facts["permuted"],
    )  # fmt: skip


@figure(
    SEPARATION, "loadings of two terms", when="terms",
    tables=["separation"], needs=["prepared", "first_fits"],
)  # fmt: skip
def scatter(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the loadings of two terms, by condition and by cell type."""
    from ..figures.cells import choose_terms, plot_scatter

    fits = {m: own[0] for m, own in inputs.fits(facts["shown"], first=True).items()}
    terms = choose_terms(fits, facts["scatter_terms"], exactly=2)
    return plot_scatter(
        fits, terms, facts["labels"], _near(inputs, fits, terms), facts["conditions"],
        separation=inputs.table("separation") if inputs.has("separation") else None,
    )  # fmt: skip


@figure(
    SEPARATION, "known pairs of terms and cells", when="known pairs",
    tables=["known_pairs", "terms"],
)  # fmt: skip
def known_pairs(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far terms mark the cells that they must mark."""
    from ..figures.known_pairs import plot_known_pairs
    from .registry import RECOMMENDED

    family = _relatives(inputs).get(RECOMMENDED)
    labels, conditions = _but_ablations(facts), facts["conditions"]
    return plot_known_pairs(inputs.table("known_pairs"), labels, conditions, family)


def _relatives(inputs: Inputs) -> dict[str, dict[str, list[str]]]:
    """Return for each method the other members of the family of each term that is in one."""
    from ..figures.families import relatives

    terms = inputs.table("terms").groupby("method") if inputs.has("terms") else ()
    return {str(method): relatives(own) for method, own in terms}


@figure(
    SEPARATION, "loadings by cell type and condition", when="groups", needs=["prepared", "fits"]
)
def loadings(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the loadings of some terms by cell type and condition."""
    from ..figures.cells import choose_terms, plot_loadings

    seeds = inputs.fits(facts["shown"])
    fits = {method: own[0] for method, own in seeds.items()}
    terms = choose_terms(fits, facts["loadings_terms"])
    return plot_loadings(
        fits, terms, facts["labels"], _near(inputs, fits, terms), facts["conditions"],
        facts["cell_types"], others={method: own[1:] for method, own in seeds.items()},
    )  # fmt: skip


def _near(
    inputs: Inputs, fits: Mapping[str, Fit], terms: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    """Say for each method which term is drawn for each of these: itself, or one near it."""
    from ..metrics.terms import own_or_nearest
    from ..prepared import annotation_table

    annotations = annotation_table(inputs.prepared)
    return {m: own_or_nearest(fit, annotations, terms) for m, fit in fits.items()}


@figure(
    SEPARATION, "held-out donors, three measures", when="condition",
    tables=["accuracy", "choice", "terms"],
)  # fmt: skip
def metrics(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw three measures of separation, on cells seen and unseen."""
    import pandas as pd

    from ..figures.separation import plot_metrics

    has_folds = inputs.has("choice")
    choice = inputs.table("choice") if has_folds else pd.DataFrame({"method": []})
    labels = _but_ablations(facts)
    return plot_metrics(inputs.table("accuracy"), choice, labels, _relatives(inputs))


@figure(
    SEPARATION, "dense factors, or the seed alone", when="dense",
    tables=["dense_factors", "accuracy"], needs=["prepared"],
)  # fmt: skip
def dense_factors(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw which term separates the condition, by number of dense factors and by seed."""
    from ..figures.separation import plot_dense_factors

    return plot_dense_factors(
        inputs.table("dense_factors"), inputs.table("accuracy"), facts["labels"], facts["terms"],
        _guess(inputs),
    )  # fmt: skip


# ---- terms


@figure(TERMS, "most relevant terms", when="terms", tables=["terms"])
def terms(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the most relevant terms of every model."""
    from ..figures.terms import plot_top_terms

    table = inputs.table("terms")
    return plot_top_terms(
        table[table["method"].isin(_in_role(facts, "model"))], facts["labels"], facts["models"],
        facts["n_terms"], facts["expected"],
    )  # fmt: skip


@figure(TERMS, "relevance, {label}", when="terms", per="method", tables=["terms"])
def relevance(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the relevance of one method's terms, the sizes of their sets, and the changes."""
    from ..figures.style import method_colors
    from ..figures.terms import plot_relevance

    table, method = inputs.table("terms"), facts["method"]
    return plot_relevance(
        table[table["method"] == method], facts["labels"][method], facts["models"][method],
        method_colors(facts["labels"])[method], facts["n_terms"], facts["expected"],
    )  # fmt: skip


@figure(
    TERMS, "genes added and removed, {label}", when="terms", per="method",
    tables=["terms", "corrections"],
)  # fmt: skip
def corrections(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what one method added to its gene sets and removed from them."""
    from ..figures.terms import plot_corrections

    method = facts["method"]
    changed, table = (
        table[table["method"] == method]
        for table in (inputs.table("corrections"), inputs.table("terms"))
    )
    label = facts["labels"][method]
    return plot_corrections(changed, table, label, facts["n_terms"], facts["expected"])


# ---- trust


@figure(
    TRUST, "agreement term by term, one method with each", when="two methods",
    tables=["correlation", "correlation_seeds"],
)  # fmt: skip
def correlation(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far the methods' loadings agree, for the most relevant terms."""
    from ..figures.agreement import plot_correlation

    table, compared = inputs.table("correlation"), _in_role(facts, "model", "control")
    return plot_correlation(
        table[table[["method_a", "method_b"]].isin(compared).all(axis=1)], facts["labels"],
        facts["reference"], facts["n_terms"], facts["expected"],
        seeds=inputs.table("correlation_seeds"),
    )  # fmt: skip


@figure(
    TRUST, "agreement term by term, the talk's bars", when="two methods",
    tables=["correlation", "correlation_seeds"],
)  # fmt: skip
def correlation_bars(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the correlation of loadings for the most relevant terms as bars, as the talk does."""
    from ..figures.agreement import plot_correlation_bars

    return plot_correlation_bars(
        inputs.table("correlation"), inputs.table("correlation_seeds"), facts["labels"],
        facts["reference"], facts["others"], facts["n_terms"], facts["expected"],
    )  # fmt: skip


@figure(TRUST, "agreement of every two methods", when="two methods", tables=["agreement"])
def agreement(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the agreement of every two methods."""
    from ..figures.agreement import plot_agreement

    compared = _in_role(facts, "model", "control")
    return plot_agreement(inputs.table("agreement"), facts["labels"], compared)


@figure(TRUST, "stability: other seeds, cells, donors", when="repeated", tables=["stability"])
def stability(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far the methods' answers depend on seed, cells and donors."""
    from ..figures.stability import plot_stability

    return plot_stability(
        inputs.table("stability"), facts["labels"], roles=facts["roles"],
        permuted=facts["permuted"],
    )  # fmt: skip


@figure(
    TRUST, "reconstruction of unseen cells", when="folds, expression", tables=["reconstruction"]
)
def reconstruction(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the share of variance that methods reconstruct in unseen cells."""
    from ..figures.separation import plot_reconstruction

    table = inputs.table("reconstruction")
    return plot_reconstruction(table, _but_ablations(facts), facts["without_sets"])


@figure(TRUST, "what a network buys", when="network", tables=["objective", "best_encoder"])
def network(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the objective that each autoencoder reaches, and its encoder against the best one."""
    from ..figures.trust import plot_network

    return plot_network(inputs.table("objective"), inputs.table("best_encoder"), facts["labels"])


@figure(TRUST, "necessity and stand-ins", when="exact", tables=["necessity"])
def necessity(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the most relevant terms are needed for, and what stands in for them."""
    from ..figures.trust import plot_necessity

    return plot_necessity(inputs.table("necessity"), facts["labels"], facts["n_terms"])


@figure(TRUST, "two ideas that do not work", when="ablations", tables=["ablation"])
def ablation(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the ideas of the talk that do not work beside the autoencoder."""
    from ..figures.trust import plot_ablation

    return plot_ablation(inputs.table("ablation"), facts["labels"])


@figure(TRUST, "sensitivity: {sweep}", when="sweeps", per="sweep", tables=["sweep"])
def sweep(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what depends on the parameters of a sweep."""
    from ..figures.sweep import plot_sweep

    table, about = inputs.table("sweep"), facts["sweeps"][facts["sweep"]]
    table = table[table["sweep"] == facts["sweep"]]
    return plot_sweep(table, about["entry"]["grid"], about["label"])


# ---- planted truth


@figure(PLANTED, "recovery in numbers", when="truth", per="simulation", tables=["recovery"])
def recovery(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the methods recover of a planted truth."""
    from ..figures.truth import plot_recovery

    return plot_recovery(inputs.table("recovery"), _but_ablations(facts))


@figure(
    PLANTED, "precision against recall", when="truth", per="simulation",
    tables=["recovery_curves"],
)  # fmt: skip
def recovery_curves(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw precision against recall of what was planted."""
    from ..figures.truth import plot_recovery_curves

    return plot_recovery_curves(inputs.table("recovery_curves"), _but_ablations(facts))


@figure(PLANTED, "false positives", when="truth", per="simulation", tables=["false_positives"])
def false_positives(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the terms that methods call active, rightly and wrongly."""
    from ..figures.truth import plot_false_positives

    return plot_false_positives(inputs.table("false_positives"), _but_ablations(facts))


@figure(
    PLANTED, "implanted in real counts", when="implanted truth", per="simulation",
    tables=["implanted"], needs=["implanted_calls"],
)  # fmt: skip
def implanted(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far the methods read a truth implanted in real counts."""
    from ..figures.implanted import plot_implanted

    calls = inputs.table("implanted_calls") if inputs.has("implanted_calls") else None
    if calls is not None:
        calls = calls[calls["dataset"] == facts["dataset"]]
    return plot_implanted(inputs.table("implanted"), _but_ablations(facts), calls)


@figure(
    PLANTED, "nothing implanted: false alarms", when="implanted null", per="simulation",
    tables=["implanted"],
)  # fmt: skip
def implanted_null(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the methods find in real counts where there is nothing to find."""
    from ..figures.implanted import plot_implanted_null

    kind = facts["planted"]["null_of"]
    return plot_implanted_null(inputs.table("implanted"), _but_ablations(facts), kind)


@figure(
    PLANTED, "wrong genes in the gene sets", when="corrupted", per="simulation",
    tables=["corrupted"],
)  # fmt: skip
def corrupted(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw whether the methods' weights correct gene sets with wrong and missing genes."""
    from ..figures.corrupted import plot_corrupted

    return plot_corrupted(inputs.table("corrupted"), _but_ablations(facts))

"""The figures of a run: each is one function below, and the function's decorator is its row.

To add a figure: its plot function in `intae/figures/`, a function here, its caption in `report/`
and its test; what it finds, in a sentence, is a function of the same name in `findings.py`. The
Snakefile reads the table, so this module imports no more than the standard library; functions
import what they draw with.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .figure import APPENDIX, FIGURES, MAIN, Figure, draw_all, figure
from .inputs import Facts, Inputs
from .registry import MAIN_METHODS, METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

    from ..fits import Fit

__all__ = ["FIGURES", "Figure", "draw_all"]

log = logging.getLogger(__name__)


def but_ablations(facts: Facts) -> dict[str, str]:
    """Return method -> label; ablations are shown in a figure of their own only."""
    return {m: label for m, label in facts["labels"].items() if facts["roles"][m] != "ablation"}


def in_role(facts: Facts, *roles: str) -> list[str]:
    """Return the methods of these roles."""
    return [m for m, role in facts["roles"].items() if role in roles]


def representatives(facts: Facts) -> list[str]:
    """Return the main methods, the user's own, and the first of each other class.

    The rest are these again, with another solver or other parameters.
    """
    methods = list(but_ablations(facts))
    found = [m for m in methods if m in MAIN_METHODS or m not in METHODS]
    classes = {facts["models"][m] for m in found}
    for method in methods:
        if facts["models"][method] not in classes:
            classes.add(facts["models"][method])
            found.append(method)
    return [m for m in methods if m in found]


def _guess(inputs: Inputs) -> float:
    """Return the accuracy of always guessing the largest condition."""
    return float(inputs.obs["condition"].value_counts(normalize=True).max())


def _relatives(inputs: Inputs) -> dict[str, dict[str, list[str]]]:
    """Return for each method the other members of the family of each term that is in one."""
    from ..figures.families import relatives

    terms = inputs.table("terms").groupby("method") if inputs.has("terms") else ()
    return {str(method): relatives(own) for method, own in terms}


# ---- the main figures


@figure(
    MAIN, "1. best term of each method", when="condition",
    tables=["accuracy", "terms"],
)  # fmt: skip
def best_term(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the AUROC of each method's best term, on all cells and on unseen ones."""
    from ..figures.best_term import plot_best_term

    first = str(facts["recommended"])
    families = {method: own for method, own in _relatives(inputs).items() if method == first}
    return plot_best_term(
        inputs.table("accuracy"), but_ablations(facts), facts["roles"], families,
        scores=facts["scores"], recommended=first,
    )  # fmt: skip


@figure(MAIN, "2. most relevant terms", when="terms", tables=["terms"])
def terms(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the recommended method's most relevant terms, and their ranks in the other models."""
    from ..figures.terms import plot_top_terms

    table = inputs.table("terms")
    return plot_top_terms(
        table[table["method"].isin(in_role(facts, "model"))], facts["labels"], facts["models"],
        facts["n_terms"], facts["expected"], recommended=facts["recommended"],
    )  # fmt: skip


@figure(MAIN, "3. necessity and stand-ins", when="exact", tables=["necessity"])
def necessity(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the most relevant terms are needed for, and what stands in for them."""
    from ..figures.trust import plot_necessity

    return plot_necessity(
        inputs.table("necessity"), facts["labels"], facts["n_terms"], facts["recommended"]
    )


@figure(
    MAIN, "4. stability: other seeds, cells, donors", when="repeated", tables=["stability", "terms"]
)
def stability(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far the methods' answers depend on seed, cells and donors."""
    from ..figures.stability import plot_stability

    return plot_stability(
        inputs.table("stability"), facts["labels"], roles=facts["roles"],
        permuted=facts["permuted"], terms=inputs.table("terms") if inputs.has("terms") else None,
    )  # fmt: skip


@figure(
    MAIN, "5. known pairs of terms and cells", when="known pairs",
    tables=["known_pairs", "terms"],
)  # fmt: skip
def known_pairs(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far terms mark the cells that they must mark."""
    from ..figures.known_pairs import plot_known_pairs

    family = _relatives(inputs).get(facts["recommended"] or "")
    labels, conditions = but_ablations(facts), facts["conditions"]
    return plot_known_pairs(inputs.table("known_pairs"), labels, conditions, family)


@figure(
    MAIN, "6. implanted in real counts", when="implanted truth", per="simulation",
    tables=["implanted"], needs=["implanted_calls"],
)  # fmt: skip
def implanted(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how far the methods read a truth implanted in real counts."""
    from ..figures.implanted import plot_implanted

    calls = inputs.table("implanted_calls") if inputs.has("implanted_calls") else None
    if calls is not None:
        calls = calls[calls["dataset"] == facts["dataset"]]
    return plot_implanted(inputs.table("implanted"), but_ablations(facts), calls)


@figure(
    MAIN, "6. nothing implanted: false alarms", when="implanted null", per="simulation",
    tables=["implanted"],
)  # fmt: skip
def implanted_null(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the methods find in real counts where there is nothing to find."""
    from ..figures.implanted import plot_implanted_null

    kind = facts["planted"]["null_of"]
    return plot_implanted_null(inputs.table("implanted"), but_ablations(facts), kind)


@figure(
    MAIN, "7. planted truth, in numbers", when="truth", per="simulation", tables=["recovery"]
)  # fmt: skip
def recovery(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what the methods recover of a planted truth."""
    from ..figures.truth import plot_recovery

    return plot_recovery(inputs.table("recovery"), but_ablations(facts))


@figure(
    MAIN, "8. planted truth, false positives", when="truth", per="simulation",
    tables=["false_positives"],
)  # fmt: skip
def false_positives(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the terms that methods call active, rightly and wrongly."""
    from ..figures.truth import plot_false_positives

    return plot_false_positives(inputs.table("false_positives"), but_ablations(facts))


@figure(MAIN, "9. time and memory", when="always", per="run", needs=["runtime"], by_dataset=False)
def cost(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw wall time and peak memory of every method on the data sets of the run.

    Draws of a simulation are one data set, and left out where the run has others.
    """
    from ..figures.cost import plot_cost

    runtime, labels = inputs.table("runtime"), but_ablations(facts)
    drawn = runtime["dataset"].isin(list(facts["draw_of"]))
    runtime = runtime.assign(dataset=runtime["dataset"].replace(facts["draw_of"]))
    runtime = runtime[~drawn | drawn.all()]
    return plot_cost(runtime[runtime["method"].isin(list(labels))], labels)


# ---- the appendix: cost and separation


@figure(
    APPENDIX, "time and memory against the number of cells", when="parts",
    tables=["scaling", "scaling_slopes"],
)  # fmt: skip
def scaling(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw time and memory of every method against the number of cells."""
    from ..figures.cost import plot_scaling

    return plot_scaling(inputs.table("scaling"), inputs.table("scaling_slopes"), facts["labels"])


@figure(
    APPENDIX, "accuracy of single terms", when="condition",
    tables=["accuracy"], needs=["prepared"],
)  # fmt: skip
def accuracy(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw how well single terms separate the condition."""
    from ..figures.separation import plot_accuracy

    table = inputs.table("accuracy")
    absent = [term for term in facts["terms"] if term not in set(table["term"])]
    if absent:
        log.warning("not terms of these data, so left out: %s", ", ".join(absent))
    shown = {*representatives(facts), *in_role(facts, "control")}
    labels = {m: label for m, label in facts["labels"].items() if m in shown}
    return plot_accuracy(
        table, labels, facts["terms"], guess=_guess(inputs),
        roles=facts["roles"], permuted=facts["permuted"], recommended=facts["recommended"],
    )  # fmt: skip


@figure(
    APPENDIX, "loadings of two terms, cell by cell", when="terms",
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


@figure(APPENDIX, "loadings by cell type and condition", when="groups", needs=["prepared", "fits"])
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
    APPENDIX, "dense factors, or the seed alone", when="dense",
    tables=["dense_factors", "accuracy"], needs=["prepared"],
)  # fmt: skip
def dense_factors(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw which term separates the condition, by number of dense factors and by seed."""
    from ..figures.separation import plot_dense_factors

    return plot_dense_factors(
        inputs.table("dense_factors"), inputs.table("accuracy"), facts["labels"], facts["terms"],
        _guess(inputs),
    )  # fmt: skip


# ---- the appendix: agreement


@figure(
    APPENDIX, "agreement term by term", when="two methods",
    tables=["correlation", "correlation_seeds", "terms"],
)  # fmt: skip
def correlation_bars(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the correlation of loadings for the most relevant terms as bars, as the talk does."""
    from ..figures.agreement import plot_correlation_bars

    return plot_correlation_bars(
        inputs.table("correlation"), inputs.table("correlation_seeds"), facts["labels"],
        str(facts["recommended"]), facts["shown"], facts["n_terms"],
        facts["expected"], terms=inputs.table("terms"),
    )  # fmt: skip


@figure(APPENDIX, "agreement of every two methods", when="two methods", tables=["agreement"])
def agreement(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the agreement of every two methods."""
    from ..figures.agreement import plot_agreement

    return plot_agreement(inputs.table("agreement"), facts["labels"], representatives(facts))


@figure(
    APPENDIX, "reconstruction of unseen cells", when="folds, expression", tables=["reconstruction"]
)
def reconstruction(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the share of variance that methods reconstruct in unseen cells."""
    from ..figures.separation import plot_reconstruction

    table = inputs.table("reconstruction")
    return plot_reconstruction(table, but_ablations(facts), facts["without_sets"])


# ---- the appendix: the autoencoder's parts, ablations, parameters


@figure(APPENDIX, "what a network buys", when="network", tables=["objective", "best_encoder"])
def network(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the objective that each autoencoder reaches, and its encoder against the best one."""
    from ..figures.trust import plot_network

    return plot_network(inputs.table("objective"), inputs.table("best_encoder"), facts["labels"])


@figure(APPENDIX, "two ideas that do not work", when="ablations", tables=["ablation"])
def ablation(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw the ideas of the talk that do not work beside the autoencoder."""
    from ..figures.trust import plot_ablation

    return plot_ablation(inputs.table("ablation"), facts["labels"])


@figure(APPENDIX, "sensitivity: {sweep}", when="sweeps", per="sweep", tables=["sweep"])
def sweep(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw what depends on the parameters of a sweep."""
    from ..figures.sweep import plot_sweep

    table, about = inputs.table("sweep"), facts["sweeps"][facts["sweep"]]
    table = table[table["sweep"] == facts["sweep"]]
    return plot_sweep(table, about["entry"]["grid"], about["label"])


# ---- the appendix: planted truth


@figure(
    APPENDIX, "planted truth, precision against recall", when="truth", per="simulation",
    tables=["recovery_curves"],
)  # fmt: skip
def recovery_curves(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw precision against recall of what was planted."""
    from ..figures.truth import plot_recovery_curves

    labels = {m: facts["labels"][m] for m in representatives(facts)}
    return plot_recovery_curves(inputs.table("recovery_curves"), labels)


@figure(
    APPENDIX, "wrong genes in the gene sets", when="corrupted", per="simulation",
    tables=["corrupted"],
)  # fmt: skip
def corrupted(inputs: Inputs, facts: Facts) -> Drawn:
    """Draw whether the methods' weights correct gene sets with wrong and missing genes."""
    from ..figures.corrupted import plot_corrupted

    return plot_corrupted(inputs.table("corrupted"), but_ablations(facts))

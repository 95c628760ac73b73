"""What compares the fits of a data set with one another, and puts their own rows together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from ..fits import read_facts, read_finished_fits, read_labels
from ..io import is_large, read_h5ad
from ..metrics.agreement import (
    Pair,
    agreement_table,
    between_seeds,
    correlate_pairs,
    correlation_table,
    seed_correlations,
)
from ..metrics.cost import scaling_row, slopes
from ..metrics.implanted import reference_rows
from ..metrics.optimality import REFERENCE, Yardstick, scores_from_tables
from ..metrics.separation import dense_table
from ..prepared import gene_set_table, tell_lost
from .tables import PART_COLUMNS, read_scores, read_tables, stack, write_table

log = logging.getLogger(__name__)


class Comparison:
    """The fits of one data set, beside one another.

    Parameters
    ----------
    inputs
        Paths by name, as :meth:`.jobs.Jobs.compare_inputs` gives them.
    params
        What the config says, as :meth:`.jobs.Jobs.compare_params` gives it.
    outputs
        Table -> the path that it is written to.
    """

    def __init__(
        self, inputs: Mapping[str, Any], params: Mapping[str, Any], outputs: Mapping[str, str]
    ):
        self.inputs, self.params, self.outputs = inputs, params, outputs
        self.facts = [read_facts(path) for path in inputs["facts"]]
        self.scores = [read_scores(path) for path in inputs["scores"]]

    def write(self) -> None:
        """Make each table and write it; tables that lean on others come after them."""
        for name, path in self.outputs.items():
            table = MAKERS[name](self) if name in MAKERS else stack(self.scored(name), name)
            write_table(table, path)
            log.info("%s: %d rows", name, len(table))

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every two fits that came to their end, correlated once for all tables."""
        labels = read_labels(self.inputs["prepared"])
        return correlate_pairs(read_finished_fits(self.inputs["models"], labels))

    def scored(self, name: str) -> list[pd.DataFrame]:
        """Return the rows of each fit in a table."""
        return [tables[name] for tables in self.scores if name in tables]

    def parts(self, name: str) -> list[pd.DataFrame]:
        """Return the tables of what was fitted again, of one kind."""
        return [pd.read_csv(path) for path in self.inputs.get(name, ())]

    def written(self, name: str) -> pd.DataFrame:
        """Return a table as it was written."""
        return pd.read_csv(self.outputs[name])

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Put the name of the data set in front."""
        table.insert(0, "dataset", self.params["dataset"])
        return table


def _stability(c: Comparison) -> pd.DataFrame:
    halves = zip(c.params["halved"], c.parts("halves"), strict=True)
    parts = [between_seeds(c.pairs), *(part.assign(method=method) for method, part in halves)]
    table = c.named(stack(parts))
    return table[list(PART_COLUMNS["stability"])]


def _gene_sets(c: Comparison) -> pd.DataFrame:
    """What became of each gene set when the data were prepared."""
    prepared = read_h5ad(c.inputs["prepared"], backed="r")
    try:
        tell_lost(prepared, c.params["named"])
        return c.named(gene_set_table(prepared))
    finally:
        prepared.file.close()


def _objective(c: Comparison) -> pd.DataFrame:
    """The fits' rows, and below them the exact solver at the common penalties."""
    path = c.inputs["prepared"]
    prepared = read_h5ad(path, backed="r" if is_large(path) else None)
    yardstick = Yardstick(prepared, c.params["lambdas"])
    name = {"dataset": c.params["dataset"], "method": REFERENCE, "seed": 0}
    reference = pd.DataFrame([yardstick.objective(yardstick.reference())])
    return stack([*c.scored("objective"), pd.DataFrame([name]).join(reference)])


def _ablation(c: Comparison) -> pd.DataFrame:
    """What each fit says by itself, and what the other tables say of the methods."""
    others = {n: c.written(n) for n in ("accuracy", "recovery") if n in c.outputs}
    table = scores_from_tables(
        c.params["ablations"], c.params["terms"], terms=c.written("terms"),
        stability=c.written("stability"), **others,
    )  # fmt: skip
    return pd.concat([*c.scored("ablation"), c.named(table)])


def _implanted(c: Comparison) -> pd.DataFrame:
    """The fits' rows, and below them those of methods that no fit stands for."""
    scored = c.scored("implanted")
    beside = reference_rows(read_h5ad(c.inputs["prepared"]), c.params["follows"])
    fitted = {method for table in scored for method in table["method"]}
    beside = beside[~beside["method"].isin(fitted)]
    beside.insert(1, "seed", 0)
    return stack([*scored, c.named(beside)], "implanted")


def _scaling(c: Comparison) -> pd.DataFrame:
    whole = [scaling_row(about) for about in c.facts if about["method"] in c.params["scaled"]]
    parts = [part for part in c.parts("parts") if len(part)]
    table = pd.concat([*parts, pd.DataFrame(whole)])
    return table.sort_values(["method", "n_cells", "seed"], kind="stable")


# The tables that are more than the fits' own rows under one another.
MAKERS: dict[str, Callable[[Comparison], pd.DataFrame]] = {
    "accuracy": lambda c: stack([*c.scored("accuracy"), *c.parts("accuracy")], "accuracy"),
    "correlation": lambda c: c.named(correlation_table(c.pairs, c.params["reference"])),
    "correlation_seeds": lambda c: c.named(seed_correlations(c.pairs)),
    "agreement": lambda c: c.named(agreement_table(c.pairs, c.params["n_terms"])),
    "dense_factors": lambda c: dense_table(c.written("accuracy"), c.params["dense"]),
    "gene_sets": _gene_sets,
    "stability": _stability,
    "objective": _objective,
    "ablation": _ablation,
    "implanted": _implanted,
    "scaling": _scaling,
    "scaling_slopes": lambda c: c.named(slopes(c.written("scaling"))),
    "sweep": lambda c: read_tables(c.inputs["sweep"]),
    "reconstruction": lambda c: stack(c.parts("reconstruction")),
    "choice": lambda c: stack(c.parts("choice")),
    "folds": lambda c: stack(c.parts("folds")),
}

"""What a run measured, as the checks ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

# Rows of stability.csv that sum up all terms.
MEDIAN_R, SHARED_TOP = "(median |r|)", "(shared of the 10 most relevant)"

T = TypeVar("T")


class NotRun(Exception):
    """A run did not include what a check needs; the message says what would include it."""


def if_run(ask: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
    """Return what a function of a run returns, or None where the run did not include it."""
    try:
        return ask(*args, **kwargs)
    except NotRun:
        return None


def of_term(table: pd.DataFrame, term: str, dataset: str) -> pd.DataFrame:
    """Return the rows of a table about one term.

    Raises
    ------
    NotRun
        If there are none.
    """
    part = table[table["term"] == term]
    if not len(part):
        msg = (
            f"{term} is not a term of {dataset}: too few of its genes are among the variable ones "
            "(`min_genes`), or its gene sets are not used."
        )
        raise NotRun(msg)
    return part


def comparable(n_genes: float, papers: float) -> bool:
    """Say whether what depends on the number of genes can be compared with the paper's."""
    return 0.75 <= n_genes / papers <= 1.25


@dataclass(frozen=True)
class Run:
    """The tables of a run and what its config says of them.

    Parameters
    ----------
    tables
        Name -> tidy table, as in `results/tables`. Tables that the run did not make are absent.
    methods
        Method -> its entry in the config.
    stands_for
        Data set of the run -> the paper's data set that it stands for, whole or in part.
    simulated
        Data sets whose truth is known.
    """

    tables: Mapping[str, pd.DataFrame]
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stands_for: Mapping[str, str] = field(default_factory=dict)
    simulated: Sequence[str] = ()

    @property
    def datasets(self) -> list[str]:
        """All data sets that something was fitted to, in the run's order."""
        return list(dict.fromkeys(self.tables["runtime"]["dataset"]))

    @property
    def real(self) -> list[str]:
        """The data sets that are no simulations; all, where there are only simulations."""
        return [name for name in self.datasets if name not in self.simulated] or self.datasets

    def standing_for(self, paper: str) -> list[str]:
        """Return the data sets of the run that stand for one of the paper's."""
        return [name for name in self.datasets if self.stands_for.get(name) == paper]

    def n_cells(self, dataset: str) -> int:
        """Return the number of cells of a data set."""
        return int(self._fits(dataset)["n_cells"].iloc[0])

    def require_genes(self, dataset: str, n_genes: int) -> None:
        """Refuse to compare what depends on the number of genes, where it is another.

        Raises
        ------
        NotRun
            If the data set has fewer or more genes by over a quarter.
        """
        ours = self._fits(dataset)["n_genes"].iloc[0]
        if not comparable(ours, n_genes):
            msg = (
                f"{dataset} has {ours:,} genes; the paper's value is for about {n_genes:,} and "
                "does not compare. It takes data with as many annotated, variable genes."
            )
            raise NotRun(msg)

    def label(self, method: str) -> str:
        """Return a method's name for readers."""
        return self.methods.get(method, {}).get("label", method)

    def is_on(self, dataset: str, method: str) -> bool:
        """Tell whether a method ran on a data set to its end."""
        part = self._fits(dataset, method)
        return bool(len(part)) and not part["projected"].astype(bool).all()

    def rows(self, table: str, dataset: str, method: str | None = None, **where) -> pd.DataFrame:
        """Return the rows of a table about one data set and method.

        Parameters
        ----------
        table
            Name of the table.
        dataset, method
            What they are about; None takes all methods.
        **where
            Column -> the value it must have.

        Raises
        ------
        NotRun
            If there are none.
        """
        if table not in self.tables:
            msg = f"The table {table}.csv was not made in this run."
            raise NotRun(msg)
        part = self.tables[table]
        part = part[part["dataset"] == dataset]
        if method is not None:
            part = part[part["method"] == method]
            if not len(part):
                raise NotRun(self._why_absent(table, dataset, method))
        for column, value in where.items():
            part = part[part[column] == value]
        if not len(part):
            told = ", ".join(f"{column} {value}" for column, value in where.items())
            msg = f"{table}.csv says nothing of {told or 'it'} in {dataset}."
            raise NotRun(msg)
        return part

    def _fits(self, dataset: str, method: str | None = None) -> pd.DataFrame:
        """Return the rows of the runtimes about a data set, and a method; maybe none."""
        runtime = self.tables["runtime"]
        part = runtime[runtime["dataset"] == dataset]
        return part if method is None else part[part["method"] == method]

    def _why_absent(self, table: str, dataset: str, method: str) -> str:
        part = self._fits(dataset, method)
        if not len(part):
            return (
                f"The method {method} was not run on {dataset}: name it in `run: methods:` and do "
                "not exclude it."
            )
        if part["projected"].astype(bool).all():
            return (
                f"{method} was stopped by its budget, so that only its runtime is known; a larger "
                f"`budget` in `methods: {method}: params:` would run it to its end."
            )
        if table == "stability":
            return (
                f"{method} was run from one seed and on no halves: give it several `seeds` or "
                "`halves` in `methods:`."
            )
        return f"{table}.csv holds nothing of {method} in {dataset}."

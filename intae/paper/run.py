"""What a run measured, as the checks ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


class NotRun(Exception):
    """A run did not include what a check needs; the message says what would include it."""


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
        runtime = self.tables["runtime"]
        return int(runtime.loc[runtime["dataset"] == dataset, "n_cells"].iloc[0])

    def require_genes(self, dataset: str, n_genes: int) -> None:
        """Refuse to compare what depends on the number of genes, where it is another.

        Raises
        ------
        NotRun
            If the data set has less or more genes by a quarter.
        """
        runtime = self.tables["runtime"]
        ours = runtime.loc[runtime["dataset"] == dataset, "n_genes"].iloc[0]
        if not 0.75 <= ours / n_genes <= 1.25:
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
        runtime = self.tables["runtime"]
        part = runtime[(runtime["dataset"] == dataset) & (runtime["method"] == method)]
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

    def _why_absent(self, table: str, dataset: str, method: str) -> str:
        runtime = self.tables["runtime"]
        part = runtime[(runtime["dataset"] == dataset) & (runtime["method"] == method)]
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

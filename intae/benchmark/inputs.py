"""What figures read: facts of the config, and the files of a data set, each read once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..errors import IntaeError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from ..fits import Fit


class Facts(TypedDict, total=False):
    """What figures and their captions need to know of the config, for one data set."""

    dataset: str  # or the simulation, whose draws are shown as one data set
    cell_labels: list[str]  # roles of the labels that the cells have: condition, cell_type, ...
    donors: bool  # whether one of them is donor

    # methods of the config, in its order
    labels: dict[str, str]  # method -> its name in figures
    roles: dict[str, str]  # method -> model, control or ablation
    models: dict[str, str]  # method -> class
    # methods of the data set
    shown: list[str]  # with a row or a figure of their own
    permuted: list[str]  # their gene sets are shuffled
    without_sets: list[str]  # they know no gene sets
    recommended: str | None  # whose answer comes first
    controls: list[str]  # names in figures
    scores: list[str]  # controls that are plain scores
    families: list[list[str]]  # that differ in their number of dense factors only
    folds: dict[int, list[str]]  # number of folds -> names of the methods that infer new cells
    folds_reconstructing: dict[int, list[str]]  # the same, of methods that reconstruct
    beside_ablations: dict[str, int]  # name -> number of seeds

    # what the config asks for
    terms: list[str]
    scatter_terms: list[str]
    loadings_terms: list[str]
    expected: list[str]
    n_terms: int
    conditions: dict[str, str] | None  # value -> name
    cell_types: list[str]
    known_pairs: list[dict[str, Any]]
    lambdas: dict[str, float]  # the published ones
    scaling: dict[str, Any]
    projected: bool  # whether a time of the scaling may be
    sweeps: dict[str, dict[str, Any]]  # sweep -> its entry, label, model, own
    # n_draws, seeds, sizes, annotations_of, cells_of, cells, prepared_of, null_of, has_null
    planted: dict[str, Any]
    share: float  # from which on a false term overlaps a true one
    fdr: float
    follows: float  # |r| from which on a term follows an activity
    draw_of: dict[str, str]  # draw -> its simulation

    findings: str  # path of what the figures of the job found

    # set while one of several figures of a row is drawn
    sweep: str


@dataclass
class Inputs:
    """The files that the figures of one job read, each of them once.

    Parameters
    ----------
    tables
        Name -> paths; several (folds, draws of a simulation) are read as one table.
    prepared_path
        The prepared data.
    fit_paths
        Method -> paths of its fits, the first seed first.
    """

    tables: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)
    prepared_path: str | Path | None = None
    fit_paths: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = functools.cache(self._table)
        self._fit = functools.cache(self._read_fit)

    def has(self, name: str) -> bool:
        """Say whether there is such a table; some data sets lack some."""
        return bool(self.tables.get(name))

    def _table(self, name: str) -> pd.DataFrame:
        from .tables import read_tables

        return read_tables(self.tables[name])

    @functools.cached_property
    def prepared(self) -> AnnData:
        """The prepared data, backed by their file."""
        from ..io import read_h5ad

        return read_h5ad(self._prepared_path(), backed="r")

    @functools.cached_property
    def obs(self) -> pd.DataFrame:
        """The labels of the cells."""
        from ..fits import read_labels

        return read_labels(self._prepared_path())

    def _prepared_path(self) -> str | Path:
        if self.prepared_path is None:
            msg = "this figure needs the prepared data, and its row does not say so (needs=)"
            raise IntaeError(msg)
        return self.prepared_path

    def fits(self, methods: Iterable[str], *, first: bool = False) -> dict[str, list[Fit]]:
        """Read the fits of methods that ended well, one per seed or the first seed's alone.

        Returns
        -------
        Method -> its fits; methods without any are left out.
        """
        found = {
            method: [fit for path in self.fit_paths[method][: 1 if first else None]
                     for fit in self._fit(path)]
            for method in methods
        }  # fmt: skip
        return {method: fits for method, fits in found.items() if fits}

    def _read_fit(self, path: str | Path) -> list[Fit]:
        from ..fits import read_finished_fits

        return read_finished_fits([path], self.obs)

"""Sweeps over parameters as the config declares them: which points, and are they sensible."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from .errors import ConfigError, suggest
from .signatures import ability_of, parameters_of

# Of the autoencoder's penalties: shares of the largest useful ones (intae/autoencoder/lambdas.py).
FRACTIONS = {"fraction1": "lambda1", "fraction3": "lambda3"}

Point = dict[str, Any]


def points_of(entry: Mapping[str, Any]) -> list[Point]:
    """Return the points of a sweep, each once: the grid's product, then those given by themselves.

    Parameters
    ----------
    entry
        The sweep's entry in the config, with `grid` and `points`.

    Returns
    -------
    Parameter -> value, a dict a point. A parameter that is absent keeps the method's own value.
    """
    points = grid_points(entry) + [dict(point) for point in entry["points"]]
    return [point for i, point in enumerate(points) if point not in points[:i]]


def grid_points(entry: Mapping[str, Any]) -> list[Point]:
    """Return all combinations of the values of a sweep's grid; none where there is no grid."""
    grid = entry["grid"]
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return [point for point in points if point]


def check_sweeps(config: Mapping[str, Any]) -> None:
    """Refuse a sweep of unknown data sets, methods or parameters.

    Parameters
    ----------
    config
        The whole config, its defaults filled in.

    Raises
    ------
    ConfigError
        Naming the sweep, the key at fault and the nearest known name.
    """
    for name, entry in config["sweep"].items():
        where = f"config, sweep: {name}"
        for dataset in entry["datasets"]:
            if dataset not in config["datasets"]:
                msg = f"{where}: there is no data set {dataset!r}"
                raise ConfigError(msg + suggest(dataset, config["datasets"]))
            labels = config["datasets"][dataset]["labels"]
            runs = dataset in (config["run"]["datasets"] or config["datasets"])
            if runs and entry["held_out"] == "donors" and "donor" not in labels:
                msg = f"{where}: held_out: donors, but {dataset!r} has no label donor; take cells"
                raise ConfigError(msg)
        if entry["method"] not in config["methods"]:
            msg = f"{where}: there is no method {entry['method']!r}"
            raise ConfigError(msg + suggest(entry["method"], config["methods"]))
        _check_points(where, entry, config["methods"][entry["method"]])


def _check_points(where: str, entry: Mapping[str, Any], method: Mapping[str, Any]) -> None:
    model = method["model"]
    if not ability_of(model, "infers_new_cells"):
        msg = f"{where}: method: {model} cannot infer the loadings of the cells held out"
        raise ConfigError(msg)
    points = points_of(entry)
    if not points:
        msg = f"{where}: names no values; give a grid: or points:"
        raise ConfigError(msg)
    known = [*parameters_of(model), *(FRACTIONS if model == "Autoencoder" else ())]
    for point in points:
        for parameter, value in point.items():
            if parameter not in known:
                msg = f"{where}: intae.{model} has no parameter {parameter!r} to sweep over"
                raise ConfigError(msg + suggest(parameter, known))
            if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9.+-]+", value):
                msg = f"{where}: {parameter}: {value!r} cannot stand in a file name"
                raise ConfigError(msg)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if parameter in FRACTIONS and not (number and value > 0):
                msg = f"{where}: {parameter}: must be a number above 0, not {value!r}"
                raise ConfigError(msg)
        for fraction, absolute in FRACTIONS.items():
            if fraction in point and absolute in point:
                msg = f"{where}: {fraction} and {absolute} are the same penalty; give one of them"
                raise ConfigError(msg)

"""Entries of the config that stand for several things: draws of a simulation, points of a sweep."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError, suggest
from .models import check_params, model_of

DRAWN = ("simulated", "implanted", "corrupted")  # sources whose truth is known; they have draws
# What an implanted data set has from that of its cells, unless it says otherwise.
PREPARED_AS = (
    "gene_sets", "n_hvgs", "hvg_flavor", "keep_genes", "keep_sets", "min_genes", "max_genes",
    "normalize", "target_sum", "log1p",
)  # fmt: skip


def expand_draws(config: dict[str, Any]) -> None:
    """Replace each data set that says `draws: n` by its draws NAME_1 to NAME_n, in place.

    The draws are entries as any other, with `draw_of: NAME`; their seeds count up from the
    entry's. `run: datasets:` and `exclude:` may name all draws at once by NAME, or one. Entries of
    `exclude` that list several data sets or methods become all of their pairs.

    Parameters
    ----------
    config
        Valid by the schema, with its defaults.

    Raises
    ------
    ConfigError
        If a data set whose truth is not known has draws, a draw's name is taken already, or
        `analyses:` names a data set that has draws.
    """
    datasets: dict[str, Any] = {}
    draws: dict[str, list[str]] = {}
    for name, entry in config["datasets"].items():
        n_draws = entry.pop("draws")
        if n_draws is None:
            datasets[name] = entry
            continue
        where = f"config, datasets: {name}: draws"
        if entry["source"] not in DRAWN:
            msg = f"{where}: only source simulated, implanted or corrupted can be drawn again, not "
            raise ConfigError(msg + repr(entry["source"]))
        first = entry["params"].get("seed", 0)
        if isinstance(first, bool) or not isinstance(first, int):
            msg = f"config, datasets: {name}: params: seed: must be a whole number, not {first!r}"
            raise ConfigError(msg)
        draws[name] = [f"{name}_{i + 1}" for i in range(n_draws)]
        for i, draw in enumerate(draws[name]):
            if draw in config["datasets"]:
                msg = f"{where}: would make {draw!r}, and there is an entry of that name; rename it"
                raise ConfigError(msg)
            datasets[draw] = copy.deepcopy(entry) | {"draw_of": name}
            datasets[draw]["params"]["seed"] = first + i
    for name in config["analyses"]:
        if name in draws:
            msg = f"config, analyses: {name}: has draws, which are only compared with the truth"
            raise ConfigError(msg + "; leave the entry out")
    config["datasets"] = datasets
    if config["run"].get("datasets"):
        config["run"]["datasets"] = list(
            dict.fromkeys(d for name in config["run"]["datasets"] for d in draws.get(name, [name]))
        )
    config["exclude"] = [
        {"dataset": draw, "method": method}
        for entry in config["exclude"]
        for dataset in _several(entry["dataset"])
        for draw in draws.get(dataset, [dataset])
        for method in _several(entry["method"])
    ]


def _several(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def take_preparation(datasets: dict[str, Any]) -> None:
    """Give each implanted data set the gene sets and the preparation of that of its cells.

    What the entry itself says of the preparation stays. In place, before defaults are filled in.

    Raises
    ------
    ConfigError
        If `cells_of` is missing, stands at another source, or names no data set with counts of
        its own; or if an implanted data set names gene sets.
    """
    lending = [d for d, known in datasets.items() if known["source"] not in DRAWN]
    for name, entry in datasets.items():
        where, other = f"config, datasets: {name}", entry.get("cells_of")
        if entry["source"] != "implanted":
            for key in ("cells_of", "cells"):
                if entry.get(key):
                    msg = f"{where}: {key}: is for source implanted, not for {entry['source']!r}"
                    raise ConfigError(msg)
            continue
        if other not in lending:
            said = f"there is no real data set {other!r}" if other else "is missing"
            msg = f"{where}: cells_of: {said}{suggest(str(other), lending)}"
            raise ConfigError(msg)
        if entry.get("gene_sets"):
            msg = f"{where}: gene_sets: are those of {other}, whose cells it takes; leave it out"
            raise ConfigError(msg)
        for key in PREPARED_AS:
            if key in datasets[other]:
                entry.setdefault(key, copy.deepcopy(datasets[other][key]))


def check_annotations_of(name: str, datasets: dict[str, Any]) -> None:
    """Refuse a simulated data set whose gene sets cannot be those of another.

    Raises
    ------
    ConfigError
        If `annotations_of` stands at a data set that is not simulated, or names none whose
        prepared data hold gene sets of their own.
    """
    entry = datasets[name]
    other = entry["annotations_of"]
    if other is None:
        return
    where = f"config, datasets: {entry.get('draw_of', name)}: annotations_of"
    if entry["source"] != "simulated":
        msg = f"{where}: is for source simulated; other data get theirs by gene_sets:"
        raise ConfigError(msg)
    own = [d for d, known in datasets.items() if known["annotations_of"] is None]
    if other not in datasets:
        msg = f"{where}: there is no data set {other!r}{suggest(other, own)}"
        raise ConfigError(msg)
    if other not in own:
        msg = f"{where}: {other!r} has no gene sets of its own{suggest(other, own)}"
        raise ConfigError(msg)


def check_prepared_of(name: str, datasets: dict[str, Any]) -> None:
    """Refuse corrupted gene sets that are not those of another, real data set.

    Raises
    ------
    ConfigError
        If `prepared_of` is missing, stands at another source, or names no real data set; or if
        the data set names gene sets besides.
    """
    entry = datasets[name]
    where, other = f"config, datasets: {entry.get('draw_of', name)}", entry["prepared_of"]
    if entry["source"] != "corrupted":
        if other is not None:
            msg = f"{where}: prepared_of: is for source corrupted, not for {entry['source']!r}"
            raise ConfigError(msg)
        return
    lending = [d for d, known in datasets.items() if known["source"] not in DRAWN]
    if other not in lending:
        said = f"there is no real data set {other!r}" if other else "is missing"
        raise ConfigError(f"{where}: prepared_of: {said}{suggest(str(other), lending)}")
    if entry["gene_sets"]:
        msg = f"{where}: gene_sets: are those of {other}, corrupted; leave it out"
        raise ConfigError(msg)


# Repetitions that every model gets that can infer new cells, at `effort: full`.
FULL = {"halves": 5, "folds": 4}


def apply_effort(config: dict[str, Any]) -> None:
    """Repeat fits as `run: effort:` says, in place: less than the entries say, as they do, or more.

    Parameters
    ----------
    config
        The whole config, checked, its defaults filled in.
    """
    effort = config["run"]["effort"]
    for entry in config["methods"].values():
        if effort == "quick":
            entry |= {"seeds": entry["seeds"][:1], "halves": 0, "folds": 0}
        elif effort == "full" and entry["role"] == "model":
            if model_of(entry["model"]).infers_new_cells:
                entry |= {key: max(entry[key], least) for key, least in FULL.items()}
    if effort == "quick":
        config["sweep"] = {}
        for entry in config["analyses"].values():
            entry["scaling"]["sizes"] = []


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
    if not model_of(model).infers_new_cells:
        msg = f"{where}: method: {model} cannot infer the loadings of the cells held out"
        raise ConfigError(msg)
    points = points_of(entry)
    if not points:
        msg = f"{where}: names no values; give a grid: or points:"
        raise ConfigError(msg)
    known = [*model_of(model).parameters, *(FRACTIONS if model == "Autoencoder" else ())]
    for point in points:
        for parameter, value in point.items():
            if parameter not in known:
                msg = f"{where}: {model} has no parameter {parameter!r} to sweep over"
                raise ConfigError(msg + suggest(parameter, known))
            if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9.+-]+", value):
                msg = f"{where}: {parameter}: {value!r} cannot stand in a file name"
                raise ConfigError(msg)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if parameter in FRACTIONS and not (number and value > 0):
                msg = f"{where}: {parameter}: must be a number above 0, not {value!r}"
                raise ConfigError(msg)
        told = {name: value for name, value in point.items() if name not in FRACTIONS}
        own = {k: v for k, v in method["params"].items() if k != "permute_annotations"}
        check_params(where, model, own | told)
        for fraction, absolute in FRACTIONS.items():
            if fraction in point and absolute in point:
                msg = f"{where}: {fraction} and {absolute} are the same penalty; give one of them"
                raise ConfigError(msg)

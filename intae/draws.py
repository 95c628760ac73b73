"""Simulated data sets in the config: several draws of one, and whose gene sets they take."""

from __future__ import annotations

import copy
from typing import Any

from .errors import ConfigError, suggest


def expand_draws(config: dict[str, Any]) -> None:
    """Replace each data set that says `draws: n` by its draws NAME_1 to NAME_n, in place.

    The draws are entries as any other, with `draw_of: NAME`; their seeds count up from the
    entry's. `run: datasets:` and `exclude:` may name all draws at once by NAME, or one.

    Parameters
    ----------
    config
        Valid by the schema, with its defaults.

    Raises
    ------
    ConfigError
        If a data set that is not simulated has draws, a draw's name is taken already, or
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
        if entry["source"] != "simulated":
            msg = f"{where}: only source simulated can be drawn again, not {entry['source']!r}"
            raise ConfigError(msg)
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
        pair | {"dataset": draw}
        for pair in config["exclude"]
        for draw in draws.get(pair["dataset"], [pair["dataset"]])
    ]


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

"""What arguments of models and of simulations may be, said once: they and the config check by it.

The config is checked where perhaps nothing but Snakemake is installed, so nothing is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, isnan
from numbers import Integral, Real
from typing import Any, cast

from .errors import IntaeError, suggest


@dataclass(frozen=True)
class Whole:
    """An integer of at least `least`; None too, where it is optional."""

    least: int = 0
    optional: bool = False

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        if value is None and self.optional:
            return None
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if whole and cast(int, value) >= self.least:
            return None
        return f"must be an integer of at least {self.least}, not {value!r}"


@dataclass(frozen=True)
class Number:
    """A number in an interval, its ends left out where they are `above` and `below`."""

    least: float = -inf
    above: float = -inf
    most: float = inf
    below: float = inf
    optional: bool = False
    infinite: bool = False

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        if value is None and self.optional:
            return None
        if isinstance(value, Real) and not isinstance(value, bool) and not isnan(value):
            number = cast(float, value)
            inside = self.least <= number <= self.most and self.above < number
            inside = inside and (number < self.below or self.below == inf)
            if inside and (self.infinite or isfinite(value)):
                return None
        return f"must be {self._what()}, not {value!r}{_written(value)}"

    def _what(self) -> str:
        if self.most < inf or self.below < inf:
            start = f"({self.above:g}" if self.above > -inf else f"[{self.least:g}"
            end = f"{self.most:g}]" if self.most < inf else f"{self.below:g})"
            return f"a number in {start}, {end}"
        number = "a number" if self.infinite else "a finite number"
        return f"{number} above 0" if self.above == 0 else f"{number} that is not negative"


@dataclass(frozen=True)
class OneOf:
    """One of these values."""

    values: tuple[str | None, ...]

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        if any(value is known or value == known for known in self.values):
            return None
        near = suggest(value, [known for known in self.values if known])
        near = near if near.startswith("; did") else ""
        return f"must be one of {', '.join(map(str, self.values))}, not {value!r}{near}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        return None if value is True or value is False else f"must be true or false, not {value!r}"


@dataclass(frozen=True)
class Columns:
    """None, or a list of different columns of obs."""

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        if isinstance(value, str):
            return f"must be a list of columns of obs, such as [{value!r}]"
        several = list(value) if isinstance(value, (list, tuple)) else value
        if several is None or (
            isinstance(several, list)
            and all(isinstance(name, str) for name in several)
            and len(set(several)) == len(several)
        ):
            return None
        return f"must be a list of different columns of obs, not {value!r}"


@dataclass(frozen=True)
class Range:
    """Two numbers, the smaller one first, neither below `least` nor, where `above`, at it."""

    least: float = 0
    above: bool = False

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        ends = list(value) if isinstance(value, (list, tuple)) else []
        end = Number(above=self.least) if self.above else Number(least=self.least)
        if len(ends) == 2 and not any(map(end.fault, ends)) and ends[0] <= ends[1]:
            return None
        least = f"above {self.least:g}" if self.above else f"of at least {self.least:g}"
        return f"must be two numbers {least}, the smaller one first, not {value!r}"


@dataclass(frozen=True)
class Values:
    """None, or columns of obs, each with its value or values."""

    def fault(self, value: Any) -> str | None:
        """Return what the value must be instead, or None where it is fine."""
        if value is None or (isinstance(value, Mapping) and all(map(bool, value.values()))):
            return None
        return f"must give columns of obs, each with its value or values, not {value!r}"


Kind = Whole | Number | OneOf | Flag | Columns | Range | Values

_POSITIVE = Number(above=0)
_PENALTY = Number(least=0, optional=True)
_READING: dict[str, Kind] = {
    "background": Number(above=0, infinite=True),
    "mean_penalty": _POSITIVE,
}
_NETWORK: dict[str, Kind] = {
    "epochs": Whole(1), "learning_rate": _POSITIVE, "batch_size": Whole(2),
    "device": OneOf(("auto", "cpu", "cuda")),
}  # fmt: skip
_BUDGET: dict[str, Kind] = {"budget": Number(above=0, optional=True)}
_DEVICE = OneOf((None, "auto", "cpu", "cuda"))
_DESIGN: dict[str, Kind] = {"design": OneOf(("groups", "graded")), "n_sets": Whole(1)}
_FACTORS: dict[str, Kind] = {"n_dense": Whole(), "n_sparse": Whole(), "covariates": Columns()}
COMMON: dict[str, Kind] = {"seed": Whole(), "threads": Whole(1, optional=True)}

PARAMETERS: dict[str, dict[str, Kind]] = {
    "Autoencoder": {
        "solver": OneOf(("exact", "adam", "proximal")),
        "n_sparse": Whole(),
        "n_dense": Whole(optional=True),
        "lambda0": Number(above=0, optional=True),
        "lambda1": _PENALTY,
        "lambda2": _PENALTY,
        "lambda3": _PENALTY,
        "annotated_share": Number(least=0, below=1),  # at 1 the sets would mean nothing
        "weighting": OneOf(("auto", "paper", "sqrt-size")),
        "covariates": Columns(),
        "readout": OneOf(("auto", "sets", "encoder")),
        **_READING,
        "max_iter": Whole(1),
        "tol": _POSITIVE,
        **_NETWORK,
    },
    "FSCLVM": {
        **_FACTORS,
        "max_iter": Whole(1),
        "tol": Number(least=0),
        "n_init": Whole(1),
        "compat": OneOf((None, "slalom")),
        "gene_scale": OneOf(("auto", "unit", "none")),
        "readout": OneOf(("auto", "sets", "posterior")),
        **_READING,
    },
    "GeneSetScore": {"method": OneOf(("score_genes", "ulm", "aucell", "mean", "ucell"))},
    "MaskedAutoencoder": {
        "mask": OneOf(("hard", "stochastic")),
        "inside": Number(least=0, most=1),
        "outside": Number(least=0, most=1),
        **_NETWORK,
    },
    "PCA": {"n_dense": Whole(1, optional=True)},
    "PLIER": {
        "n_factors": Whole(1, optional=True),
        "l1": Number(above=0, optional=True),
        "l2": Number(above=0, optional=True),
        "named": Number(above=0, most=1),
        "max_sets": Whole(1),
        "alpha": Number(above=0, most=1),
        "step": OneOf(("published", "exact")),
        "hold_out": Flag(),
        "max_iter": Whole(1),
        "tol": Number(least=0),
    },
    "CNMF": {
        "n_dense": Whole(1),
        "restarts": Whole(4),  # with fewer, a component has no neighbours to be compared with
        "density_threshold": _POSITIVE,
        **_BUDGET,
    },
    "ExpiMap": {
        "alpha": Number(least=0),
        "epochs": Whole(1),
        "recon_loss": OneOf(("nb", "mse")),
        **_BUDGET,
        "device": _DEVICE,
    },
    "LinearSCVI": {
        "n_dense": Whole(1),
        "epochs": Whole(1, optional=True),
        **_BUDGET,
        "device": _DEVICE,
    },
    "MOFAFLEX": {
        "annotation_confidence": Number(above=0, below=1),
        "n_dense": Whole(),
        "max_iter": Whole(1),
        **_BUDGET,
        "device": _DEVICE,
    },
    "MuVI": {
        "prior_confidence": Number(above=0, below=1),
        "n_dense": Whole(),
        "max_iter": Whole(1),
        **_BUDGET,
        "device": _DEVICE,
    },
    "Spectra": {"lam": Number(least=0), "max_iter": Whole(1), **_BUDGET},
    "Slalom": {**_FACTORS, "max_iter": Whole(1), **_BUDGET},
    # functions that draw data; their arguments are the `params` of a data set in the config
    "simulate": {
        "n_cells": Whole(2),
        "n_genes": Whole(2),
        "n_terms": Whole(3),
        "n_active": Whole(3),  # condition and cell types are terms'
        "n_dense": Whole(),
        "wrong": Number(least=0, most=1),
        "missing": Number(least=0),
        "strength": Range(above=True),
        "dense_strength": Number(least=0),
        "noise": Range(),
        "n_donors": Whole(1),
        "seed": Whole(),
    },
    "implant": {
        **_DESIGN,
        "effect": Number(least=0),
        "share": Number(above=0, most=1),
        "opposite": Number(least=0, most=1),
        "outside": Whole(),
        "correlated": Number(least=0, below=1),
        "confined_to": Values(),
        "min_genes": Whole(),
        "overlap": Number(above=0),
        "seed": Whole(),
    },
    "implanted_null": {**_DESIGN, "kind": OneOf(("labels", "sets", "depth")), "seed": Whole()},
    "corrupt_annotations": {
        "removed": Number(least=0, below=1),
        "added": Number(least=0),
        "seed": Whole(),
    },
    "load": {"exact": Flag()},  # of a known source
}


def _slaloms_path(given: Mapping[str, Any]) -> str | None:
    """Say what does not go with `compat="slalom"`."""
    if given.get("compat") != "slalom":
        return None
    n_init = given.get("n_init", 1)
    if n_init != 1:
        return (
            f'n_init={n_init}, but compat="slalom" has one start, that of its seed; fit once for '
            "each seed, or leave compat out"
        )
    for name in ("gene_scale", "readout"):
        if given.get(name) in ("unit", "sets"):
            return f"{name}={given[name]!r} is not slalom's; leave it out, or leave compat out"
    return None


def _open_masks(given: Mapping[str, Any]) -> str | None:
    """Say where the probabilities of a mask contradict each other."""
    inside, outside = given.get("inside", 0.95), given.get("outside", 0.01)
    if outside < inside:
        return None
    return f"inside must be larger than outside, and they are {inside!r} and {outside!r}"


def _too_many_active(given: Mapping[str, Any]) -> str | None:
    """Say that more terms are active than there are; not where the terms are other data's."""
    n_active, n_terms = given.get("n_active", 8), given.get("n_terms", 30)
    if given.get("annotations") is not None or n_active <= n_terms:
        return None
    return f"n_active={n_active}, but there are only {n_terms} terms; give fewer"


# What several arguments must be together.
TOGETHER: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "FSCLVM": _slaloms_path,
    "MaskedAutoencoder": _open_masks,
    "simulate": _too_many_active,
}


def check_arguments(
    model: str, given: Mapping[str, Any], kinds: Mapping[str, Kind] | None = None
) -> None:
    """Refuse arguments that a model or a function cannot use.

    Parameters
    ----------
    model
        Name of the class or function; of one that is not described here only seed and threads are
        checked.
    given
        Argument -> value: all of them, or those that a config gives. Unknown ones are left alone.
    kinds
        What each may be; None takes those of :data:`PARAMETERS`.

    Raises
    ------
    IntaeError
        Naming the argument, its value and what it may be.
    """
    kinds = COMMON | PARAMETERS.get(model, {}) if kinds is None else kinds
    for name, value in given.items():
        fault = kinds[name].fault(value) if name in kinds else None
        if fault:
            msg = f"{name} {fault}"
            raise IntaeError(msg)
    message = TOGETHER[model](given) if model in TOGETHER else None
    if message:
        raise IntaeError(message)


def check_factors(given: Mapping[str, Any], n_genes: int, where: str = "the data") -> None:
    """Refuse more unannotated terms than there are genes.

    Raises
    ------
    IntaeError
        Naming the argument and the number of genes.
    """
    names = [name for name in ("n_dense", "n_sparse", "n_factors") if given.get(name)]
    total = sum(given[name] for name in names)
    if total > n_genes:
        said = " and ".join(f"{name}={given[name]}" for name in names)
        msg = f"{said}: more unannotated terms than {where} have genes ({n_genes}); give fewer"
        raise IntaeError(msg)


def _written(value: Any) -> str:
    """Say how YAML wants a number that it read as text, such as 1e-3."""
    try:
        number = float(value) if isinstance(value, str) else inf
    except ValueError:
        return ""
    return f" (text in YAML; write {number:f})" if isfinite(number) else ""

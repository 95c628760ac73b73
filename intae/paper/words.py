"""Words for what was found: numbers, times, spreads over seeds, lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd


def number(value: float) -> str:
    """Write a number with three digits that count, and without a power of ten."""
    if pd.isna(value):
        return "none"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"


def score(value: float) -> str:
    """Write an accuracy or an AUROC, in which a hundredth matters."""
    if pd.isna(value):
        return "none"
    return f"{value:.3f}"


def share(value: float) -> str:
    """Write a share or a correlation."""
    if pd.isna(value):
        return "none"
    return f"{value:.2f}" if abs(value) < 0.995 or abs(value) == 1 else f"{value:.3f}"


def duration(days: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, size in (("days", 1), ("hours", 1 / 24), ("minutes", 1 / 1440)):
        if days >= 2 * size:
            return f"{number(days / size)} {unit}"
    return f"{number(days * 86_400)} seconds"


def over_seeds(values: Mapping[int, float], write: Callable[[float], str] = share) -> str:
    """Write one value per seed: each of up to three, of more the mean and the range."""
    if len(values) == 1:
        seed, value = next(iter(values.items()))
        return f"{write(value)} (seed {seed} only)"
    if len(values) <= 3:
        return ", ".join(f"{write(value)} (seed {seed})" for seed, value in values.items())
    series = pd.Series(dict(values))
    return (
        f"{write(series.mean())} on average ({write(series.min())} to {write(series.max())} over "
        f"{len(series)} seeds)"
    )


def with_range(mean: float, low: float, high: float, write: Callable[[float], str] = share) -> str:
    """Write a mean with the least and the largest in brackets, where they differ as written."""
    ends = write(low), write(high)
    return write(mean) if ends[0] == ends[1] else f"{write(mean)} ({ends[0]} to {ends[1]})"


def mean_of(values: pd.Series, write: Callable[[float], str] = share) -> str:
    """Write the mean of some fits' values with the least and the largest."""
    return with_range(values.mean(), values.min(), values.max(), write)


def listing(words: Iterable[str]) -> str:
    """Join words: a, b and c."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

"""The register of checks, what a check returns, and how it comes to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

AGREES, PARTLY, DIFFERS, NOT_RUN = VERDICTS = ("agrees", "partly", "differs", "not run")


@dataclass(frozen=True)
class Finding:
    """What this run says of a claim.

    Parameters
    ----------
    found
        The number or order found, with its spread over seeds.
    verdict
        One of VERDICTS.
    why
        A sentence or two: what the verdict rests on, or what differs from the paper's set-up.
    """

    found: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Check:
    """A function that judges a claim, and the rule that it judges by, for readers."""

    judge: Callable[..., Finding]
    rule: str


CHECKS: dict[str, Check] = {}


def check(rule: str) -> Callable[[Callable[..., Finding]], Callable[..., Finding]]:
    """Register a check under its function's name.

    Parameters
    ----------
    rule
        How it judges, in a sentence that stands on the page.
    """

    def register(judge: Callable[..., Finding]) -> Callable[..., Finding]:
        CHECKS[judge.__name__] = Check(judge, rule)
        return judge

    return register


def at_most(value: float, agrees: float, partly: float) -> str:
    """Return a verdict: agrees up to one limit, partly up to a second, else differs."""
    return AGREES if value <= agrees else PARTLY if value <= partly else DIFFERS


def at_least(value: float, agrees: float, partly: float) -> str:
    """Return a verdict: agrees from one limit on, partly from a second, else differs."""
    return at_most(-value, -agrees, -partly)


def all_or_some(holds: Sequence[bool]) -> str:
    """Return a verdict: agrees if all of several statements hold, partly if some do."""
    return AGREES if all(holds) else PARTLY if any(holds) else DIFFERS


def worst(*verdicts: str) -> str:
    """Return the verdict furthest from agreement."""
    return max(verdicts, key=VERDICTS.index)

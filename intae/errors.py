"""What the library says when something that the user gave is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class IntaeError(ValueError):
    """Something that the user gave is wrong; the message says what, where, and what to do.

    A step of the workflow shows it as one sentence. Any other exception is a fault of the program
    and keeps its traceback.
    """


class ContractError(IntaeError):
    """Data that do not keep a contract; the message names the slot and the fix."""


class ConfigError(IntaeError):
    """A mistake in the config; the message names the key, what is wrong and the fix."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return '; did you mean X?' for the nearest known name, or the known names."""
    known = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known) or 'none'}"

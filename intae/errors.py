"""A mistake in the config, and the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConfigError(ValueError):
    """A mistake in the config; the message names the key, what is wrong and the mend."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return '; did you mean X?' for the nearest known name, or the known names."""
    known = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known) or 'none'}"

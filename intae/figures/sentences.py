r"""Sentences for captions: a step writes them when it has run, the report includes them.

They stand in one reStructuredText file, each between two comments, since a caption can only include
a file. A caption takes its sentence by

    .. include:: FILE
       :start-after: .. begin NAME;
       :end-before: .. end NAME;
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..io import whole_file


def escaped(text: str) -> str:
    r"""Write text for reStructuredText, so that no \*, \_, \` or \| of it marks anything."""
    return re.sub(r"([\\*_`|<>])", r"\\\1", text)


def bold(text: str) -> str:
    """Write a sentence in bold letters."""
    return f"**{escaped(' '.join(text.split()))}**"


def write_sentences(sentences: Mapping[str, str], path: str | Path) -> None:
    """Write reStructuredText by its names, whole or not at all."""
    parts = [f".. begin {name};\n\n{text}\n\n.. end {name};\n" for name, text in sentences.items()]
    with whole_file(path) as part:
        part.write_text("\n".join(parts), encoding="utf-8")

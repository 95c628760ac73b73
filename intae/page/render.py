"""One HTML file from a template, its styles and scripts, and what was gathered."""

from __future__ import annotations

import html
import re
from importlib import resources
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from ..io import whole_file
from .pack import compress, to_json

TEMPLATE = "template"
# In the order in which they build on one another.
SCRIPTS = ("unpack.js", "dom.js", "facts.js", "list.js", "genes.js", "loadings.js", "scores.js",
           "app.js")  # fmt: skip


def render_page(facts: dict[str, Any], numbers: bytes, title: str) -> str:
    """Make the page of terms, whole, in one text.

    plotly and the data are compressed (gzip, base64) and unpacked by the browser: a fifth of
    their size, and nothing that stands in them can be taken for HTML.

    Parameters
    ----------
    facts, numbers
        From :func:`intae.page.gather.gather`.
    title
        Name of the page.
    """
    parts = {
        "title": html.escape(title),
        "styles": read_template("page.css"),
        "facts": compress(to_json(facts)),
        "numbers": compress(numbers),
        "plotly": compress(get_plotlyjs()),
        "scripts": "\n".join(f"<script>\n{read_template(name)}</script>" for name in SCRIPTS),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], read_template("page.html"))


def write_page(page: str, path: str | Path) -> None:
    """Write the page, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(page, encoding="utf-8")


def read_template(name: str) -> str:
    """Return the text of a template's file."""
    return (resources.files(__package__) / TEMPLATE / name).read_text(encoding="utf-8")

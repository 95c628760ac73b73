"""The parameters of the models, read from their source.

The config is checked before any job runs, where there may be nothing installed but Snakemake; so
the package is read here and not imported.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

_SET_BY_THE_WORKFLOW = ("self", "seed", "threads")


def parameters_of(model: str) -> tuple[str, ...]:
    """Return the arguments of a model's class that a config may give, in order.

    Parameters
    ----------
    model
        Name of a class of intae, such as `Autoencoder`.

    Raises
    ------
    ValueError
        If there is no such class.
    """
    if model not in _classes():
        msg = f"intae has no class {model!r}"
        raise ValueError(msg)
    node = _classes()[model]
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            names = [a.arg for a in (*part.args.args, *part.args.kwonlyargs)]
            return tuple(name for name in names if name not in _SET_BY_THE_WORKFLOW)
    for base in node.bases:  # no __init__ of its own
        if isinstance(base, ast.Name) and base.id in _classes():
            found = parameters_of(base.id)
            if found:
                return found
    return ()


@cache
def _classes() -> dict[str, ast.ClassDef]:
    """Return all classes of the package by name."""
    found = {}
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
    return found

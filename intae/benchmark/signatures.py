"""The parameters of the models and what they can do, read from their source.

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
    node = _class(model)
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


def ability_of(model: str, ability: str) -> bool:
    """Say whether a model can do something, by the attribute of its class.

    Parameters
    ----------
    model
        Name of a class of intae, such as `Autoencoder`.
    ability
        `knows_gene_sets`, `infers_new_cells` or `reconstructs`: see `intae.base.FactorModel`.

    Raises
    ------
    ValueError
        If there is no such class, or neither it nor a class that it derives from says.
    """
    found = _assigned(_class(model), ability)
    if found is None:
        msg = f"intae.{model} does not say whether it {ability}"
        raise ValueError(msg)
    return found


def _assigned(node: ast.ClassDef, name: str) -> bool | None:
    """Return what a class, or the first of its bases that says, has under a name."""
    for part in node.body:
        targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            return ast.literal_eval(part.value)
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in _classes():
            found = _assigned(_classes()[base.id], name)
            if found is not None:
                return found
    return None


def _class(model: str) -> ast.ClassDef:
    if model not in _classes():
        msg = f"intae has no class {model!r}"
        raise ValueError(msg)
    return _classes()[model]


@cache
def _classes() -> dict[str, ast.ClassDef]:
    """Return all classes of the package by name."""
    found = {}
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
    return found

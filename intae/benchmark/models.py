"""The model that an entry of the config names: one of intae's, or a class of anyone's.

`model: package.module:Class` names a class from elsewhere. What the config and the plan need to
know of it (its arguments, what it can do, its revision) is read from its source and nothing is
imported: the Snakefile asks, perhaps where nothing but Snakemake is installed.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ConfigError, IntaeError, suggest
from ..parameters import check_arguments
from .registry import MODELS, Model

ABILITIES = {"knows_gene_sets": bool, "infers_new_cells": bool, "reconstructs": bool}
PLAIN = ABILITIES | {"revision": int}  # what a class says of itself, as plain values
GIVEN = ("seed", "threads")  # arguments that the workflow gives to every model
BASE = "FactorModel"


def look_in(folders: Iterable[str | Path]) -> None:
    """Let modules be found in these folders as well, after all other places."""
    for folder in map(os.path.abspath, folders):
        if folder not in sys.path:
            sys.path.append(folder)


def folders_of_models(configs: Iterable[str | Path]) -> list[str]:
    """Return where the classes of a config may lie: the working directory, then beside each file.

    Parameters
    ----------
    configs
        Paths of the config files.
    """
    beside = (str(Path(path).resolve().parent) for path in configs)
    return list(dict.fromkeys([os.getcwd(), *beside]))


def model_of(name: str) -> Model:
    """Return what is known of a model by its name in the config.

    Parameters
    ----------
    name
        A class of intae, or `package.module:Class`.

    Raises
    ------
    ConfigError
        If there is no such model, or the class does not follow the contract as far as its source
        tells.
    """
    if name in MODELS:
        return MODELS[name]
    module, colon, kind = name.partition(":")
    if not colon:
        msg = f"there is no model {name!r}{suggest(name, MODELS)}; a class of your own is given as "
        raise ConfigError(msg + "package.module:Class")
    if not all(part.isidentifier() for part in [*module.split("."), kind]):
        msg = f"{name!r} is no class; give it as package.module:Class"
        raise ConfigError(msg)
    path = _source(module)
    if path is None:
        places = ", ".join(dict.fromkeys(map(str, (os.getcwd(), *_own_folders()))))
        msg = f"{name!r}: there is no module {module!r} (looked in {places} and in the packages "
        raise ConfigError(msg + "installed); put its file there, or install its package")
    return _known(name, path, Path(path).stat().st_mtime_ns)


def check_params(where: str, model: str, params: Mapping[str, Any]) -> None:
    """Refuse parameters that a model does not have, or cannot use (:mod:`intae.parameters`).

    Raises
    ------
    ConfigError
        Naming the place in the config, the parameter and what it may be.
    """
    known = model_of(model).parameters
    for name in params:
        if name not in known:
            msg = f"{where}: {model} has no parameter {name!r}{suggest(name, known)}"
            raise ConfigError(msg)
    try:
        check_arguments(model, params)
    except IntaeError as error:
        msg = f"{where}: {error}"
        raise ConfigError(msg) from None


def _own_folders() -> list[str]:
    """Return the folders of `sys.path` that hold no installed packages."""
    libraries = (sys.prefix, sys.base_prefix)
    return [p for p in sys.path if p and not p.startswith(libraries) and Path(p).is_dir()]


@lru_cache
def _known(name: str, path: str, changed: int) -> Model:
    """Read a class; `changed` is when its file was, so that a new version is read anew."""
    module, _, kind = name.partition(":")
    lineage = list(_lineage(module, kind, name))
    if not lineage:
        known = [node.name for node in _parse(module, name).body if isinstance(node, ast.ClassDef)]
        msg = f"{name!r}: {path} has no class {kind!r}{suggest(kind, known)}"
        raise ConfigError(msg)
    ours = [found for found in lineage if isinstance(found, Model)]
    if not ours:
        msg = f"{name!r}: {kind} is no subclass of intae.{BASE}; see docs/own_model.md"
        raise ConfigError(msg)
    model, arguments = ours[0], None
    classes = [found for found in lineage if isinstance(found, ast.ClassDef)]
    for node in reversed(classes):  # the nearest class has the last word
        model = replace(model, **_plain_values(node, name))
    for node in classes:
        arguments = arguments or _arguments(node, name)
    if arguments:
        for given in GIVEN:
            if given not in arguments:
                msg = f"{name!r}: its __init__ takes no {given}=, which the workflow gives"
                raise ConfigError(f"{msg} to every model; add it")
        model = replace(model, parameters=tuple(a for a in arguments if a not in GIVEN))
    elif not model.parameters and ours[0] is _BARE:
        msg = f"{name!r}: it has no __init__; it must take seed= and threads= at least"
        raise ConfigError(msg)
    return model


_BARE = Model(())  # what FactorModel itself says


def _lineage(
    module: str, kind: str, name: str, seen: frozenset = frozenset()
) -> Iterator[ast.ClassDef | Model]:
    """Yield a class and those that it is made of, nearest first, as far as they can be found."""
    if module.partition(".")[0] == "intae":
        if kind in MODELS or kind == BASE:
            yield MODELS.get(kind, _BARE)
        return
    if (module, kind) in seen or _source(module) is None:
        return
    seen |= {(module, kind)}
    tree = _parse(module, name)
    imported = _imported(tree, module)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind), None)
    if node is None:
        if kind in imported:
            home, _, other = imported[kind].rpartition(".")
            yield from _lineage(home, other, name, seen)
        return
    yield node
    for base in node.bases:
        first, *rest = ast.unparse(base).split(".")
        home, _, other = ".".join([imported.get(first, f"{module}.{first}"), *rest]).rpartition(".")
        yield from _lineage(home, other, name, seen)


def _imported(tree: ast.Module, module: str) -> dict[str, str]:
    """Return what a module imports: its name there -> the full name."""
    found, package = {}, module.split(".")
    if not (_source(module) or "").endswith("__init__.py"):
        package = package[:-1]
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            home = ".".join([*above, *([node.module] if node.module else [])])
            found |= {alias.asname or alias.name: f"{home}.{alias.name}" for alias in node.names}
    return found


def _plain_values(node: ast.ClassDef, name: str) -> dict[str, bool | int]:
    """Return what a class body says of what the class can do."""
    values = {}
    for line in node.body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        for target in targets:
            if not isinstance(target, ast.Name) or target.id not in PLAIN:
                continue
            value = line.value.value if isinstance(line.value, ast.Constant) else None
            if type(value) is not PLAIN[target.id]:
                what = "True or False" if target.id in ABILITIES else "a whole number"
                msg = f"{name!r}: {node.name}.{target.id} must be {what}, written there as such"
                raise ConfigError(msg)
            values[target.id] = value
    return values


def _arguments(node: ast.ClassDef, name: str) -> list[str] | None:
    """Return the arguments of a class's own `__init__`, without self; None where it has none."""
    for line in node.body:
        if isinstance(line, ast.FunctionDef) and line.name == "__init__":
            if line.args.vararg or line.args.kwarg:
                msg = f"{name!r}: its __init__ takes *args or **kwargs; name every argument, so "
                raise ConfigError(msg + "that get_params and the config know them")
            return [a.arg for a in (*line.args.args[1:], *line.args.kwonlyargs)]
    return None


def _parse(module: str, name: str) -> ast.Module:
    path = _source(module)
    try:
        return ast.parse(Path(path).read_text(encoding="utf-8"), path)
    except (SyntaxError, UnicodeDecodeError) as error:
        msg = f"{name!r}: {path} cannot be read as Python ({error})"
        raise ConfigError(msg) from None


def _source(module: str) -> str | None:
    """Return the path of a module's Python source, without importing it or its packages."""
    first, *rest = module.split(".")
    spec = _find(first, None)
    for i in range(len(rest)):
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = _find(".".join([first, *rest[: i + 1]]), list(spec.submodule_search_locations))
    path = None if spec is None else spec.origin
    return path if path and path.endswith(".py") else None


def _find(name: str, path: list[str] | None) -> ModuleSpec | None:
    for _ in range(2):
        try:
            # a name without a dot is looked up everywhere, editable installs included
            spec = find_spec(name) if path is None else PathFinder.find_spec(name, path)
        except ValueError:  # such as `__main__`
            spec = None
        if spec is not None:
            return spec
        importlib.invalidate_caches()  # a file written a moment ago
    return None

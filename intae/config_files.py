"""Config files: read strictly, laid over each other, and the reference made from the schema."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .config_checks import read_schema
from .errors import ConfigError


class _StrictLoader(yaml.SafeLoader):
    """YAML, but a key that stands twice is a mistake (YAML itself keeps the last, silently)."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.value in seen:
            msg = f"the key {key.value!r} stands in line {seen[key.value]} and again in line {line}"
            raise ConfigError(msg)
        seen[key.value] = line
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_config(path: str | Path) -> dict[str, Any]:
    """Read one config file, refusing an entry that stands there twice.

    Raises
    ------
    ConfigError
        If the file is missing, is no YAML or holds a key twice; the message names file and line.
    """
    path = Path(path)
    if not path.exists():
        msg = f"{path}: there is no such config file"
        raise ConfigError(msg)
    try:
        config = yaml.load(path.read_text(), Loader=_StrictLoader)
    except ConfigError as error:
        msg = f"{path}: {error}; rename or remove one"
        raise ConfigError(msg) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        msg = f"{path}{line}: is no YAML ({getattr(error, 'problem', error)})"
        raise ConfigError(msg) from None
    if config is None:
        return {}
    if not isinstance(config, dict):
        msg = f"{path}: holds no keys with values"
        raise ConfigError(msg)
    return config


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one config over another key by key, as Snakemake does with `--configfile`."""
    merged = copy.deepcopy(dict(base))
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def load_config(paths: Iterable[str | Path]) -> dict[str, Any]:
    """Read config files and lay each over those before it."""
    config: dict[str, Any] = {}
    for path in paths:
        config = merge(config, read_config(path))
    return config


def reference() -> str:
    """Return the reference of all keys of the config, made from the schema, as Markdown."""
    schema = read_schema()
    lines = [
        "# Reference of the config",
        "",
        "Made from `schemas/config.schema.yaml` by `python -m intae reference`. NAME is a name of "
        "your choice.",
        "",
        "| key | type | default | what it is |",
        "| --- | --- | --- | --- |",
        *_rows(schema, ""),
    ]
    return "\n".join(lines) + "\n"


def _rows(rules: Mapping[str, Any], path: str) -> list[str]:
    rows = []
    for key, rule in rules.get("properties", {}).items():
        kind = rule.get("type", "")
        kind = kind if isinstance(kind, str) else " or ".join(kind)
        kind = ", ".join(f"`{value}`" for value in rule["enum"]) if "enum" in rule else kind
        required = key in rules.get("required", ())
        default = "required" if required else f"`{rule['default']}`" if "default" in rule else ""
        what = " ".join(rule["description"].split())
        rows.append(f"| `{path}{key}` | {kind} | {default} | {what} |")
        rows += _rows(rule, f"{path}{key}.")
        items = rule.get("items", {})
        if items.get("properties"):
            rows += _rows(items, f"{path}{key}[].")
    if isinstance(rules.get("additionalProperties"), dict):
        rows += _rows(rules["additionalProperties"], f"{path}NAME.")
    return rows

"""Config files: read strictly, laid over each other, checked; the reference made from the schema.

A config is checked against the schema and against itself, and its defaults are filled in.

Imported by the Snakefile, so it needs nothing but what Snakemake brings along.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ..errors import ConfigError, IntaeError, suggest
from ..parameters import PARAMETERS, OneOf, check_arguments, check_factors
from ..sources import AS_PREPARED, SOURCES, function_of
from .expand import (
    DRAWN,
    apply_effort,
    check_annotations_of,
    check_prepared_of,
    check_sweeps,
    expand_draws,
    take_preparation,
)
from .models import check_params, model_of
from .registry import METHODS, MODELS


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
        config = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_StrictLoader)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        msg = f"{path}, line {line}: is no text in UTF-8 ({error.reason}); save the file as UTF-8"
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); give a file in YAML"
        raise ConfigError(msg) from None
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
        "Made from `intae/benchmark/schema.yaml` by `python -m intae reference`. NAME is a name of "
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


DEFAULTS = Path(__file__).with_name("config.yaml")
SCHEMA = Path(__file__).with_name("schema.yaml")


@cache
def read_schema(path: Path = SCHEMA) -> dict[str, Any]:
    """Read the schema, once; not to be changed. The known sources and models are put into it."""
    schema = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    keys = schema["properties"]
    of_dataset, of_method = (
        keys[entries]["additionalProperties"]["properties"] for entries in ("datasets", "methods")
    )
    of_dataset["source"]["enum"] = [*SOURCES, "file"]
    model = of_method["model"]
    model["description"] = model["description"].replace("MODELS", ", ".join(MODELS))
    return schema


def check_config(config: Mapping[str, Any], schema: Path = SCHEMA) -> dict[str, Any]:
    """Check a config against the schema and itself, and fill in the defaults.

    Parameters
    ----------
    config
        As read from YAML.
    schema
        The JSON schema, as YAML.

    Returns
    -------
    A copy with every default in its place.

    Raises
    ------
    ConfigError
        Naming the first key at fault.
    """
    rules = read_schema(schema)
    config = copy.deepcopy(dict(config))
    if isinstance(config.get("methods"), dict):
        known = [name for name in METHODS if name in config["methods"]]
        config["methods"] = {name: config["methods"][name] for name in known} | config["methods"]
    validator = jsonschema.Draft202012Validator(rules)
    for error in sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.path))):
        raise ConfigError(_explain(error))
    take_preparation(config["datasets"])
    fill_defaults(config, rules)
    expand_draws(config)
    for kind in ("datasets", "methods"):
        for name in config["run"].get(kind) or ():
            if name not in config[kind]:
                msg = f"config, run: {kind}: there is no entry {name!r}"
                raise ConfigError(msg + suggest(name, config[kind]))
    for name, entry in config["datasets"].items():
        _check_dataset(name, entry, config["gene_sets"])
        check_annotations_of(name, config["datasets"])
        check_prepared_of(name, config["datasets"])
    for name, entry in config["methods"].items():
        _check_method(name, entry)
    for name, entry in config["gene_sets"].items():
        if sum(key in entry for key in ("file", "url", "msigdb")) != 1:
            msg = f"config, gene_sets: {name}: give one of file:, url: and msigdb:"
            raise ConfigError(msg)
    for pair in config["exclude"]:
        for key, kind in (("dataset", "datasets"), ("method", "methods")):
            if pair[key] not in config[kind]:
                msg = f"config, exclude: there is no {key} {pair[key]!r}"
                raise ConfigError(msg + suggest(pair[key], config[kind]))
    for name, entry in config["analyses"].items():
        _check_analysis(name, entry, config)
    check_sweeps(config)
    _check_sizes(config)
    apply_effort(config)
    return config


# Keys of a data set that say how a file of yours is read.
OF_FILES = (
    "file", "url", "name", "sha256", "format", "genes_in", "matrix", "gene_column", "metadata",
)  # fmt: skip


def _check_dataset(name: str, entry: Mapping[str, Any], gene_sets: Mapping[str, Any]) -> None:
    where = f"config, datasets: {name}"
    for wanted in entry["gene_sets"]:
        if wanted not in gene_sets:
            msg = f"{where}: there is no entry {wanted!r} in gene_sets"
            raise ConfigError(msg + suggest(wanted, gene_sets))
    if entry["source"] not in AS_PREPARED and not entry["gene_sets"]:
        msg = f"{where}: gene_sets: names no gene sets; every model needs some"
        raise ConfigError(msg)
    if entry["source"] == "file" and ("file" in entry) == ("url" in entry):
        msg = f"{where}: source file needs either file: or url:"
        raise ConfigError(msg)
    if entry["source"] != "file":
        for key in OF_FILES:
            if key in entry and (key, entry[key]) != ("genes_in", "columns"):  # the default
                msg = f"{where}: {key}: is for source file, not for {entry['source']!r}; "
                raise ConfigError(msg + "leave it out")
    _check_loading(f"config, datasets: {entry.get('draw_of', name)}", entry)
    if entry.get("chunked"):
        _check_chunked(where, entry)


def _check_loading(where: str, entry: Mapping[str, Any]) -> None:
    """Refuse `params` that the source of a data set does not take, or cannot use."""
    source, given = entry["source"], dict(entry["params"])
    function = function_of(source, given)
    known = dict(PARAMETERS[function]) if function else {}
    if source == "implanted":
        known["null_of"] = known.pop("kind", OneOf((None,)))
    for name in map(str, given):
        if name in known:
            continue
        if name in read_schema()["properties"]["datasets"]["additionalProperties"]["properties"]:
            msg = f"{where}: params: {name}: stands under params, but belongs beside it"
            raise ConfigError(msg)
        if not known:
            msg = f"{where}: params: are for other sources; a file of yours takes none, so leave "
            raise ConfigError(msg + f"{name!r} out")
        msg = f"{where}: params: source {source!r} takes no {name!r}"
        msg += ", with null_of" if function == "implanted_null" else ""
        raise ConfigError(msg + suggest(name, known))
    try:
        check_arguments(function, given | {"annotations": entry["annotations_of"]}, known)
    except IntaeError as error:
        msg = f"{where}: params: {error}"
        raise ConfigError(msg) from None


def _check_chunked(where: str, entry: Mapping[str, Any]) -> None:
    """Refuse chunks of what is no h5ad, or of what needs all cells at once."""
    path = str(entry.get("file") or entry.get("url") or "")
    if entry["source"] != "file" or not (entry.get("format") == "h5ad" or path.endswith(".h5ad")):
        msg = f"{where}: chunked: is for an h5ad of yours (source: file), not for this source"
        raise ConfigError(msg)
    if entry.get("matrix", "X") != "X":
        msg = f"{where}: chunked: reads X only, not matrix: {entry['matrix']}; write the counts "
        raise ConfigError(f"{msg}into X")
    if entry["hvg_flavor"] in ("seurat_v3", "pearson_residuals"):
        msg = f"{where}: chunked: hvg_flavor {entry['hvg_flavor']} needs all cells in memory; "
        raise ConfigError(f"{msg}take seurat or cell_ranger")


def _check_method(name: str, entry: dict[str, Any]) -> None:
    where = f"config, methods: {name}"
    try:
        model = model_of(entry["model"])
    except ConfigError as error:
        msg = f"{where}: model: {error}"
        raise ConfigError(msg) from None
    for key in ("halves", "folds"):
        if entry[key] and not model.infers_new_cells:
            msg = f"{where}: {key}: {entry['model']} cannot infer the loadings of cells that it was"
            raise ConfigError(f"{msg} not fitted to; leave the key out")
    if entry["folds"] == 1:
        msg = f"{where}: folds: one fold would leave no cells to fit; give 2 or more, or 0 for none"
        raise ConfigError(msg)
    if "permute_annotations" in entry["params"]:
        msg = f"{where}: permute_annotations: stands under params, but belongs beside it"
        raise ConfigError(msg)
    check_params(f"{where}: params", entry["model"], entry["params"])
    if entry["permute_annotations"]:
        if not model.knows_gene_sets:
            msg = f"{where}: permute_annotations: {entry['model']} knows no annotations; "
            msg += "leave the key out"
            raise ConfigError(msg)
        # carried with the parameters, so that whatever fits the method permutes as well
        entry["params"]["permute_annotations"] = True


def _check_analysis(name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    if name not in config["datasets"]:
        msg = f"config, analyses: there is no data set {name!r}"
        raise ConfigError(msg + suggest(name, config["datasets"]))
    for method in [*entry["scatter_methods"], *entry["scaling"]["methods"]]:
        if method not in config["methods"]:
            msg = f"config, analyses: {name}: there is no method {method!r}"
            raise ConfigError(msg + suggest(method, config["methods"]))
    labels = config["datasets"][name]["labels"]
    asked = {"condition": entry["conditions"], "cell_type": entry["loadings"]["cell_types"]}
    for role, values in asked.items():
        if values and role not in labels:
            key = "conditions" if role == "condition" else "loadings: cell_types"
            msg = f"config, analyses: {name}: {key}: datasets: {name} names no {role} in labels"
            raise ConfigError(msg)
    for pair in entry["known_pairs"] or ():
        if pair["label"] not in labels:
            msg = f"config, analyses: {name}: known_pairs: {pair['term']}: datasets: {name} names "
            raise ConfigError(msg + f"no {pair['label']} in labels{suggest(pair['label'], labels)}")


def _check_sizes(config: Mapping[str, Any]) -> None:
    """Refuse more unannotated terms than a data set of the run can have genes."""
    run, excluded = config["run"], [(e["dataset"], e["method"]) for e in config["exclude"]]
    for dataset in run.get("datasets") or config["datasets"]:
        entry = config["datasets"][dataset]
        n_genes = entry["n_hvgs"]
        if entry["source"] in DRAWN and entry["source"] != "implanted":
            drawn = entry["source"] == "simulated" and entry["annotations_of"] is None
            n_genes = entry["params"].get("n_genes", 300) if drawn else None
        if not isinstance(n_genes, int) or entry["keep_sets"]:
            continue  # only the data tell
        n_genes += len(entry["keep_genes"])
        for method in run.get("methods") or config["methods"]:
            if (dataset, method) not in excluded:
                try:
                    check_factors(config["methods"][method]["params"], n_genes, repr(dataset))
                except IntaeError as error:
                    msg = f"config, methods: {method}: params: {error}"
                    raise ConfigError(msg) from None


def _explain(error: jsonschema.ValidationError) -> str:
    """Turn a validation error into a sentence with the key and, if it can, a suggestion."""
    where = ": ".join(map(str, error.absolute_path))
    where = f"config, {where}" if where else "config"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        return f"{where}: unknown key {unknown!r}{suggest(unknown, known)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{where}: the key {missing!r} is missing"
    if error.validator == "uniqueItems":
        items = error.instance
        twice = next(item for i, item in enumerate(items) if item in items[:i])
        return f"{where}: {twice!r} stands there twice; remove one"
    if error.validator == "pattern" and where.endswith(("datasets", "methods", "sweep")):
        return f"{where}: the name {error.instance!r} does not match {_NAME}"
    if error.validator in ("minLength", "pattern") and not str(error.instance).strip():
        return f"{where}: is empty; give a name or leave the key out"
    if error.validator == "pattern" and "\n" in str(error.instance):
        return f"{where}: {error.instance!r} holds a line break; write it on one line"
    if where in ("config, results", "config, resources") and error.validator == "pattern":
        return f"{where}: {error.instance!r} is no folder of its own; name one, such as results"
    if error.validator == "enum":
        nearest = suggest(error.instance, error.validator_value)
        return f"{where}: {error.instance!r} is unknown{nearest}"
    if error.validator == "type":
        wanted = error.validator_value
        if wanted == "object":
            key = str(error.absolute_path[-1]) if error.absolute_path else "config"
            inner = [*error.schema.get("required", ()), *error.schema.get("properties", ()), "NAME"]
            said = f"not {error.instance!r}; write {key}: {{{inner[0]}: ...}}"
            return f"{where}: must hold keys of its own, {said}"
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{where}: must be of type {wanted}, not {error.instance!r}"
    return f"{where}: {error.message}"


_NAME = "what may stand in a path: letters, digits, _ . and -, a letter or digit first"


def fill_defaults(value: Any, rules: Mapping[str, Any]) -> None:
    """Put the schema's defaults where a key is absent, at every depth."""
    if not isinstance(value, dict):
        return
    for key, rule in rules.get("properties", {}).items():
        if key not in value and "default" in rule:
            value[key] = copy.deepcopy(rule["default"])
        if key in value:
            fill_defaults(value[key], rule)
    entries = rules.get("additionalProperties")
    if isinstance(entries, dict):
        for entry in value.values():
            fill_defaults(entry, entries)

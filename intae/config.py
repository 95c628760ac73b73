"""The config of a benchmark: checked as a whole before anything runs, then easy to ask.

Imported by the Snakefile itself, so it needs nothing but what Snakemake brings along.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import jsonschema
import yaml

from .draws import check_annotations_of, expand_draws
from .errors import ConfigError, suggest
from .mirror import find_in_mirror
from .sources.registry import SOURCES, Download, msigdb
from .sweeps import check_sweeps, grid_points, points_of

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "config.schema.yaml"


# The order of methods in figures is the same in every run, whichever of them a user's config names
# first; their colours are in figures/style.py. Others follow in the config's order.
METHOD_ORDER = (
    "autoencoder", "autoencoder_proximal", "autoencoder_exact", "fsclvm", "fsclvm_dense3",
    "fsclvm_annotation", "slalom", "slalom_dense3", "autoencoder_permuted", "score_genes", "ulm",
    "aucell", "pca", "autoencoder_masked", "autoencoder_stochastic",
)  # fmt: skip

# The methods of intae.GeneSetScore (whose module needs more than Snakemake brings along).
SCORES = ("score_genes", "ulm", "aucell")


# Figures that take a row or a page a method show these, and methods of the user's own: the others
# of the paper's benchmark are the same models again, from elsewhere or with another solver.
MAIN_METHODS = ("autoencoder", "autoencoder_exact", "fsclvm", "fsclvm_dense3")


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
    rules = yaml.safe_load(Path(schema).read_text())
    config = copy.deepcopy(dict(config))
    if isinstance(config.get("methods"), dict):
        known = [name for name in METHOD_ORDER if name in config["methods"]]
        config["methods"] = {name: config["methods"][name] for name in known} | config["methods"]
    validator = jsonschema.Draft202012Validator(rules)
    for error in sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.path))):
        raise ConfigError(_explain(error))
    _fill(config, rules)
    expand_draws(config)
    for kind in ("datasets", "methods"):
        for name in config["run"].get(kind) or ():
            if name not in config[kind]:
                msg = f"config, run: {kind}: there is no entry {name!r}"
                raise ConfigError(msg + suggest(name, config[kind]))
    for name, entry in config["datasets"].items():
        _check_dataset(name, entry, config["gene_sets"])
        check_annotations_of(name, config["datasets"])
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
    check_sweeps(config)
    return config


def _check_dataset(name: str, entry: Mapping[str, Any], gene_sets: Mapping[str, Any]) -> None:
    where = f"config, datasets: {name}"
    for wanted in entry["gene_sets"]:
        if wanted not in gene_sets:
            msg = f"{where}: there is no entry {wanted!r} in gene_sets"
            raise ConfigError(msg + suggest(wanted, gene_sets))
    if entry["source"] != "simulated" and not entry["gene_sets"]:
        msg = f"{where}: gene_sets: names no gene sets; every model needs some"
        raise ConfigError(msg)
    if entry["source"] == "file" and ("file" in entry) == ("url" in entry):
        msg = f"{where}: source file needs either file: or url:"
        raise ConfigError(msg)
    if entry["source"] != "file" and ("file" in entry or "url" in entry):
        msg = f"{where}: file: and url: are for source: file, not for {entry['source']!r}"
        raise ConfigError(msg)


def _check_method(name: str, entry: dict[str, Any]) -> None:
    where = f"config, methods: {name}"
    if entry["model"] == "Slalom" and entry["halves"]:
        msg = f"{where}: halves: slalom cannot infer loadings of other cells"
        raise ConfigError(msg)
    if entry["model"] == "Slalom" and entry["folds"]:
        msg = f"{where}: folds: slalom cannot infer loadings of unseen cells; leave the key out"
        raise ConfigError(msg)
    if entry["folds"] == 1:
        msg = f"{where}: folds: one fold would leave no cells to fit; give 2 or more, or 0 for none"
        raise ConfigError(msg)
    score = entry["params"].get("method")
    if entry["model"] == "GeneSetScore" and score is not None and score not in SCORES:
        msg = f"{where}: params: method: there is no score {score!r}{suggest(score, SCORES)}"
        raise ConfigError(msg)
    if "permute_annotations" in entry["params"]:
        msg = f"{where}: permute_annotations: stands under params, but belongs beside it"
        raise ConfigError(msg)
    if entry["permute_annotations"]:
        if entry["model"] == "PCA":
            msg = f"{where}: permute_annotations: PCA knows no annotations; leave the key out"
            raise ConfigError(msg)
        # carried with the parameters, so that whatever fits the method permutes as well
        entry["params"]["permute_annotations"] = True


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
    if error.validator == "enum":
        nearest = suggest(error.instance, error.validator_value)
        return f"{where}: {error.instance!r} is unknown{nearest}"
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{where}: must be of type {wanted}, not {error.instance!r}"
    return f"{where}: {error.message}"


def _fill(value: Any, rules: Mapping[str, Any]) -> None:
    """Put the schema's defaults where a key is absent, at every depth."""
    if not isinstance(value, dict):
        return
    for key, rule in rules.get("properties", {}).items():
        if key not in value and "default" in rule:
            value[key] = copy.deepcopy(rule["default"])
        if key in value:
            _fill(value[key], rule)
    entries = rules.get("additionalProperties")
    if isinstance(entries, dict):
        for entry in value.values():
            _fill(entry, entries)


class Benchmark:
    """A checked config, and the questions that rules ask of it.

    `datasets` and `methods` are the names that run. `simulations` holds the simulated data sets of
    the run, name -> its draws, which are data sets too but stand in no other list (without
    `draws:` the data set is its own only draw).

    Parameters
    ----------
    config
        As read from YAML; checked here.
    """

    def __init__(self, config: Mapping[str, Any]):
        self.config = check_config(config)
        self.mirror = os.environ.get("INTAE_MIRROR") or self.config["mirror"]
        if self.mirror and not Path(self.mirror).is_dir():
            msg = f"mirror (config or INTAE_MIRROR): {self.mirror!r} is not a folder"
            raise ConfigError(msg)
        run = self.config["run"]
        chosen: list[str] = run.get("datasets") or list(self.config["datasets"])
        # a simulation's draws are only compared with the truth, together
        self.datasets = [d for d in chosen if "draw_of" not in self.dataset(d)]
        self.simulations: dict[str, list[str]] = {}
        for name in chosen:
            if self.dataset(name)["source"] == "simulated":
                simulation = self.dataset(name).get("draw_of", name)
                self.simulations.setdefault(simulation, []).append(name)
        self.methods: list[str] = run.get("methods") or list(self.config["methods"])
        self.excluded = {(pair["dataset"], pair["method"]) for pair in self.config["exclude"]}
        self.downloads: dict[str, Download] = {}
        lent = [d for d in map(self.annotations_of, chosen) if d is not None]
        for name in dict.fromkeys([*chosen, *lent]):
            self.dataset_files(name)  # so that a missing file is told of before any job
            self.gene_set_files(name)

    def dataset(self, name: str) -> dict[str, Any]:
        """Return the entry of a data set."""
        return self.config["datasets"][name]

    def annotations_of(self, name: str) -> str | None:
        """Return the data set whose prepared gene sets a simulated one takes, if it does."""
        return self.dataset(name)["annotations_of"]

    def method(self, name: str) -> dict[str, Any]:
        """Return the entry of a method."""
        return self.config["methods"][name]

    def methods_of(self, dataset: str) -> list[str]:
        """Return the methods that run on a data set."""
        return [m for m in self.methods if (dataset, m) not in self.excluded]

    def methods_of_role(self, dataset: str, *roles: str) -> list[str]:
        """Return the methods of these roles that run on a data set."""
        return [m for m in self.methods_of(dataset) if self.method(m)["role"] in roles]

    def fits_of(self, dataset: str) -> list[tuple[str, int]]:
        """Return method and seed of each fit of a data set."""
        return [(m, s) for m in self.methods_of(dataset) for s in self.method(m)["seeds"]]

    def analysis(self, dataset: str) -> dict[str, Any]:
        """Return what to look at in a data set, with defaults."""
        if dataset in self.config["analyses"]:
            return self.config["analyses"][dataset]
        schema = yaml.safe_load(SCHEMA.read_text())
        entry: dict[str, Any] = {}
        _fill(entry, schema["properties"]["analyses"]["additionalProperties"])
        return entry

    def stands_for(self) -> dict[str, str]:
        """Return which of the paper's data sets each data set of the run stands for, if any."""
        schema = yaml.safe_load(SCHEMA.read_text())["properties"]["analyses"]
        known = schema["additionalProperties"]["properties"]["paper"]["enum"]
        found = {}
        for name in self.datasets:
            paper = self.analysis(name).get("paper", name if name in known else None)
            if paper is not None:
                found[name] = paper
        return found

    def shown_methods(self, dataset: str) -> list[str]:
        """Return the methods of a data set that figures with a row or a page a method show."""
        run = self.methods_of(dataset)
        asked = [m for m in run if m in self.analysis(dataset)["scatter_methods"]]
        named = [m for m in run if self.method(m)["model"] != "PCA"]  # which has no gene sets
        models = [m for m in named if self.method(m)["role"] == "model"] or named
        main = [m for m in models if m in MAIN_METHODS or m not in METHOD_ORDER]
        return asked or main or models[:4]

    def expected(self, dataset: str) -> list[str]:
        """Return the terms that are known to matter in a data set."""
        analysis = self.analysis(dataset)
        return analysis["expected"] or analysis["terms"] or analysis.get("scatter", [])

    def parts_of(self, dataset: str) -> list[tuple[str, int]]:
        """Return method and number of cells of each fit to a part of a data set, for its cost."""
        scaling = self.analysis(dataset)["scaling"]
        compared = [m for m in self.config["methods"] if self.method(m)["role"] != "ablation"]
        wanted = scaling["methods"] or compared
        methods = [m for m in self.methods_of(dataset) if m in wanted]
        return [(m, size) for m in methods for size in scaling["sizes"]]

    def sweep(self, name: str) -> dict[str, Any]:
        """Return the entry of a sweep."""
        return self.config["sweep"][name]

    def sweeps_of(self, dataset: str) -> list[str]:
        """Return the sweeps that run on a data set: their method must run there."""
        methods = self.methods_of(dataset)
        return [
            name
            for name, entry in self.config["sweep"].items()
            if dataset in entry["datasets"] and entry["method"] in methods
        ]

    def points_of(self, sweep: str) -> list[dict[str, Any]]:
        """Return the points of a sweep: parameter -> value, a dict a point."""
        return points_of(self.sweep(sweep))

    def kind_of_point(self, sweep: str, point: Mapping[str, Any]) -> str:
        """Say whether a point belongs to a sweep's `grid`, or is a single `point`."""
        return "grid" if point in grid_points(self.sweep(sweep)) else "point"

    def dataset_files(self, name: str) -> list[str]:
        """Return the paths of a data set's files, downloads among them."""
        entry = self.dataset(name)
        if entry["source"] == "file":
            files = [self._file(f"datasets: {name}", entry)]
            if "metadata" in entry:
                files.append(self._file(f"datasets: {name}: metadata", entry["metadata"]))
            return files
        return [self._download(download) for download in SOURCES[entry["source"]]]

    def gene_set_files(self, name: str) -> list[str]:
        """Return the paths of a data set's gene set files."""
        wanted = self.dataset(name)["gene_sets"]
        return [self._file(f"gene_sets: {w}", self.config["gene_sets"][w]) for w in wanted]

    def _file(self, where: str, entry: Mapping[str, Any]) -> str:
        if "msigdb" in entry:
            return self._download(msigdb(entry["msigdb"], entry["release"]))
        if "url" in entry:
            urls = [entry["url"]] if isinstance(entry["url"], str) else entry["url"]
            name = entry.get("name") or Path(urlparse(urls[0]).path).name
            return self._download(Download(name, tuple(urls), entry.get("sha256")))
        path = Path(entry["file"])
        if path.exists():
            return str(path)
        if self.mirror:
            if find_in_mirror(path.name, self.mirror):
                return self._download(Download(path.name, (), entry.get("sha256")))
        msg = f"config, {where}: there is no file {entry['file']!r} (looked for at {path.resolve()}"
        msg += f", and by its name in the mirror {self.mirror})" if self.mirror else "; no mirror)"
        raise ConfigError(msg)

    def _download(self, download: Download) -> str:
        known = self.downloads.setdefault(download.name, download)
        if known != download:
            msg = f"config: two different downloads have the file name {download.name!r}; name one"
            raise ConfigError(msg)
        return f"{self.config['resources']}/{download.name}"

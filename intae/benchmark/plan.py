"""The config of a benchmark, checked, and the questions that rules ask of it.

Imported by the Snakefile itself, so it needs nothing but what Snakemake brings along.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from ..errors import ConfigError
from ..sources import SOURCES
from ..sources.downloads import Download, find_in_mirror, msigdb
from .config import check_config, fill_defaults, read_schema
from .expand import DRAWN, grid_points, points_of
from .models import model_of
from .registry import MAIN_METHODS, METHODS, RECOMMENDED, package_of, solver_of
from .runs import read_missing


class Benchmark:
    """A checked config, and the questions that rules ask of it.

    `datasets` and `methods` are the names that run. `simulations` holds the data sets of the run
    whose truth is known (simulated, implanted, corrupted), name -> its draws, which are data
    sets too but stand in no other list (without `draws:` the data set is its own only draw).

    Parameters
    ----------
    config
        As read from YAML; checked here.
    environments
        Whether fits run in environments of their own (envs/), so that no package need be here.

    Attributes
    ----------
    skipped
        Methods that would run if their package were installed -> that package.
    """

    def __init__(self, config: Mapping[str, Any], *, environments: bool = False):
        self.config = check_config(config)
        self.mirror = os.environ.get("INTAE_MIRROR") or self.config["mirror"]
        if self.mirror and not Path(self.mirror).is_dir():
            msg = f"mirror (config or INTAE_MIRROR): {self.mirror!r} is not a folder"
            raise ConfigError(msg)
        run = self.config["run"]
        chosen: list[str] = run.get("datasets") or list(self.config["datasets"])
        # what failed in an earlier run and is left out in this one, a row of missing.csv each
        self.left_out: list[dict[str, str]] = []
        if self.config["leave_out_failed"]:
            self.left_out = read_missing(f"{self.config['results']}/missing.csv")
        failed = self.left_out
        gone = {f["dataset"] for f in failed if not f["method"]}
        # a data set that is made of another goes with it
        chosen = [d for d in chosen if not gone & {d, self.lender_of(d)}]
        if failed and not chosen:
            msg = "config, leave_out_failed: every data set of the run failed; nothing is left"
            raise ConfigError(msg)
        # a simulation's draws are only compared with the truth, together
        self.datasets = [d for d in chosen if "draw_of" not in self.dataset(d)]
        self.simulations: dict[str, list[str]] = {}
        for name in chosen:
            if self.dataset(name)["source"] in DRAWN:
                simulation = self.dataset(name).get("draw_of", name)
                self.simulations.setdefault(simulation, []).append(name)
        # draw -> its simulation
        self.draw_of = {d: s for s, draws in self.simulations.items() for d in draws}
        asked: list[str] = run.get("methods") or list(self.config["methods"])
        self.skipped: dict[str, str] = {}
        if not environments:
            needed = {m: package for m in asked if (package := package_of(self.method(m)))}
            self.skipped = {m: p for m, p in needed.items() if find_spec(p) is None}
        self.methods = [m for m in asked if m not in self.skipped]
        self.excluded = {(pair["dataset"], pair["method"]) for pair in self.config["exclude"]}
        self.excluded |= {(f["dataset"], f["method"]) for f in failed if f["method"]}
        self.downloads: dict[str, Download] = {}
        self.own_files: set[str] = set()  # the user's, neither downloaded nor made by a step
        lent = [d for name in chosen if (d := self.lender_of(name)) is not None]
        for name in dict.fromkeys([*chosen, *lent]):
            self.dataset_files(name)  # so that a missing file is told of before any job
            self.gene_set_files(name)

    def tell_skipped(self) -> list[str]:
        """Return a line for each method that is skipped, since its package is missing."""
        return [
            f"methods: {method}: is skipped, since the package {package} is not installed; "
            "`make peers` installs it"
            for method, package in self.skipped.items()
        ]

    def dataset(self, name: str) -> dict[str, Any]:
        """Return the entry of a data set."""
        return self.config["datasets"][name]

    def annotations_of(self, name: str) -> str | None:
        """Return the data set whose prepared gene sets a simulated one takes, if it does."""
        return self.dataset(name)["annotations_of"]

    def cells_of(self, name: str) -> str | None:
        """Return the data set whose cells an implanted one takes, if it does."""
        return self.dataset(name)["cells_of"]

    def null_of(self, name: str) -> str | None:
        """Return which null an implanted data set is; of one with a truth None."""
        return self.dataset(name)["params"].get("null_of")

    def lender_of(self, name: str) -> str | None:
        """Return the data set of whose gene sets, cells or prepared data another is made."""
        entry = self.dataset(name)
        return self.annotations_of(name) or self.cells_of(name) or entry["prepared_of"]

    def method(self, name: str) -> dict[str, Any]:
        """Return the entry of a method."""
        return self.config["methods"][name]

    def can(self, method: str, ability: str) -> bool:
        """Say whether a method's model can do something: see :class:`.registry.Model`."""
        return getattr(model_of(self.method(method)["model"]), ability)

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
        schema = read_schema()
        entry: dict[str, Any] = {}
        fill_defaults(entry, schema["properties"]["analyses"]["additionalProperties"])
        return entry

    def stands_for(self) -> dict[str, str]:
        """Return which of the paper's data sets each data set of the run stands for, if any."""
        schema = read_schema()["properties"]["analyses"]
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
        named = [m for m in run if self.can(m, "knows_gene_sets")]
        models = [m for m in named if self.method(m)["role"] == "model"] or named
        main = [m for m in models if m in MAIN_METHODS or m not in METHODS]
        return asked or main or models[:4]

    def recommended(self, dataset: str) -> str | None:
        """Return the method whose answer about a data set comes first.

        The recommended one where it runs, else another exact autoencoder, else the first model with
        gene sets, else the first plain score; None where no method knows gene sets.
        """
        run = self.methods_of(dataset)
        models = [m for m in self.with_terms(dataset) if self.method(m)["role"] == "model"]
        order = [*METHODS, *models]
        models.sort(key=order.index)
        exact = [m for m in models if solver_of(self.method(m)) == "exact"]
        first = [m for m in [RECOMMENDED] if m in run]
        return next(iter([*first, *exact, *models, *self.plain_scores(dataset)]), None)

    def of_model(
        self, dataset: str, *models: str, roles: Sequence[str] = ("model",), solvers: Sequence = ()
    ) -> list[str]:
        """Return the methods of a data set of these models, roles and (where given) solvers."""
        return [
            m
            for m in self.methods_of_role(dataset, *roles)
            if self.method(m)["model"] in models
            and (not solvers or solver_of(self.method(m)) in solvers)
        ]

    def with_terms(self, dataset: str) -> list[str]:
        """Return the methods of a data set whose terms are gene sets."""
        return [m for m in self.methods_of(dataset) if self.can(m, "knows_gene_sets")]

    def halved(self, dataset: str) -> list[str]:
        """Return the methods of a data set that are fitted to halves of it."""
        return [m for m in self.methods_of(dataset) if self.method(m)["halves"]]

    def folded(self, dataset: str) -> list[str]:
        """Return the methods of a data set that are fitted without each fold of it."""
        return [m for m in self.methods_of(dataset) if self.method(m)["folds"]]

    def permuted(self, dataset: str) -> list[str]:
        """Return the methods of a data set whose gene sets are shuffled."""
        return [m for m in self.methods_of(dataset) if self.method(m)["permute_annotations"]]

    def plain_scores(self, dataset: str) -> list[str]:
        """Return the controls of a data set whose terms hold their own genes."""
        shuffled = self.permuted(dataset)
        controls = [m for m in self.with_terms(dataset) if self.method(m)["role"] == "control"]
        return [m for m in controls if m not in shuffled]

    def dense_families(self, dataset: str) -> list[list[str]]:
        """Return lists of models that differ in their number of dense factors only."""
        families: dict[tuple, dict[str, Any]] = {}
        for method in self.with_terms(dataset):
            entry = self.method(method)
            if entry["role"] != "model":
                continue
            params = {k: v for k, v in entry["params"].items() if k != "n_dense"}
            key = entry["model"], str(sorted(params.items()))
            families.setdefault(key, {})[method] = entry["params"].get("n_dense")
        return [list(f) for f in families.values() if len(set(f.values())) > 1]

    def by_dense(self, dataset: str) -> list[str]:
        """Return the models of a data set, first those that differ in dense factors only."""
        families = [m for family in self.dense_families(dataset) for m in family]
        models = [m for m in self.with_terms(dataset) if self.method(m)["role"] == "model"]
        return families + [m for m in models if m not in families]

    def with_ablations(self, dataset: str) -> list[str]:
        """Return the ablations of the autoencoder, after the autoencoders to see them beside."""
        return self.of_model(dataset, "Autoencoder") + self.of_model(
            dataset, "Autoencoder", "MaskedAutoencoder", roles=("ablation",)
        )

    def holds(self, condition: str, dataset: str) -> bool:
        """Say whether a condition of :data:`CONDITIONS` holds for a data set of the run."""
        return bool(self.methods_of(dataset)) and bool(CONDITIONS[condition](self, dataset))

    def expected(self, dataset: str) -> list[str]:
        """Return the terms that are known to matter in a data set."""
        analysis = self.analysis(dataset)
        return analysis["expected"] or analysis["terms"] or analysis.get("scatter", [])

    def known_pairs(self, dataset: str) -> list[dict[str, Any]]:
        """Return the pairs of a term and the cells that it must mark in a data set.

        Its own, or those of the data set that it stands for, as far as it has their labels.
        """
        analysis = self.analysis(dataset)
        if analysis["known_pairs"] is not None:
            return analysis["known_pairs"]
        lender = self.config["analyses"].get(analysis.get("paper"), {})
        labels = self.dataset(dataset)["labels"]
        return [pair for pair in lender.get("known_pairs") or () if pair["label"] in labels]

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
        return [self._download(download) for download in SOURCES[entry["source"]].FILES]

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
            self.own_files.add(str(path))
            return str(path)
        brought = Path(self.config["resources"], path.name)  # from a mirror of another day
        if brought.exists() or find_in_mirror(path.name, self.mirror):
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


def _labelled(*roles: str) -> Callable[[Benchmark, str], bool]:
    return lambda b, d: any(role in b.dataset(d)["labels"] for role in roles)


def named_terms(analysis: Mapping[str, Any]) -> list[str]:
    """Return the terms that an entry of `analyses` names, each once."""
    several = terms_by_key(analysis).values()
    return list(dict.fromkeys(term for terms in several for term in terms))


def terms_by_key(analysis: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the terms that an entry of `analyses` names, by the key that names them."""
    named = {key: list(analysis.get(key) or []) for key in ("expected", "terms", "scatter")}
    named["known_pairs"] = [pair["term"] for pair in analysis.get("known_pairs") or []]
    named["loadings: terms"] = list((analysis.get("loadings") or {}).get("terms") or [])
    return named


# When a table or a figure of a data set is made; `draws` are compared with the truth only.
CONDITIONS: dict[str, Callable[[Benchmark, str], Any]] = {
    "always": lambda b, d: True,
    "condition": _labelled("condition"),
    "groups": lambda b, d: _labelled("condition", "cell_type")(b, d) and b.with_terms(d),
    "labels": _labelled("condition", "cell_type"),
    "known pairs": lambda b, d: b.known_pairs(d) and b.with_terms(d),
    "terms": lambda b, d: b.with_terms(d),
    "two methods": lambda b, d: len(b.with_terms(d)) >= 2,
    "repeated": lambda b, d: (
        b.halved(d) or any(len(b.method(m)["seeds"]) > 1 for m in b.methods_of(d))
    ),
    "dense": lambda b, d: _labelled("condition")(b, d) and b.dense_families(d),
    "network": lambda b, d: b.of_model(d, "Autoencoder", solvers=("adam", "proximal")),
    "exact": lambda b, d: b.of_model(d, "Autoencoder", solvers=("exact",)),
    "ablations": lambda b, d: b.methods_of_role(d, "ablation"),
    "folds": lambda b, d: b.folded(d),
    "folds, condition": lambda b, d: _labelled("condition")(b, d) and b.folded(d),
    "folds, expression": lambda b, d: any(b.can(m, "reconstructs") for m in b.folded(d)),
    "parts": lambda b, d: b.parts_of(d),
    "sweeps": lambda b, d: b.sweeps_of(d),
    "truth": lambda b, d: b.dataset(d)["source"] == "simulated",
    "implanted": lambda b, d: b.dataset(d)["source"] == "implanted",
    "implanted truth": lambda b, d: CONDITIONS["implanted"](b, d) and not b.null_of(d),
    "implanted null": lambda b, d: CONDITIONS["implanted"](b, d) and b.null_of(d),
    "corrupted": lambda b, d: b.dataset(d)["source"] == "corrupted",
}

"""What each rule reads, writes and is told: paths, tables and parameters, from the checked config.

The rules ask; all that is computed from the config stands here and in :mod:`.plan`. Nothing heavy
is imported, since the Snakefile imports this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .contents import Contents, Downloads
from .expand import PREPARED_AS
from .models import model_of
from .plan import Benchmark, named_terms
from .registry import solver_of

# Keys of a data set's entry that change what loading it, and preparing it, does.
LOADING = (
    "source", "params", "annotations_of", "prepared_of", "filter", "subset", "labels",
    "drop_unlabelled", "format", "genes_in", "matrix", "gene_column", "scale", "metadata",
    "chunked",
)  # fmt: skip
PREPARING = (
    "source", "n_hvgs", "hvg_flavor", "min_genes", "max_genes", "keep_genes", "keep_sets",
    "normalize", "target_sum", "log1p", "chunked",
)  # fmt: skip

# The tables of a data set, in the order in which they are made, and when: see plan.CONDITIONS.
TABLES = {
    "accuracy": "condition",
    "correlation": "always",
    "correlation_seeds": "always",
    "agreement": "always",
    "corrections": "always",
    "gene_sets": "always",
    "terms": "always",
    "dense_factors": "dense",
    "stability": "always",
    "recovery": "truth",
    "objective": "network",
    "best_encoder": "network",
    "necessity": "exact",
    "families": "exact",
    "ablation": "ablations",
    "recovery_curves": "truth",
    "false_positives": "truth",
    "implanted": "implanted",
    "corrupted": "corrupted",
    "separation": "labels",
    "known_pairs": "known pairs",
    "history": "always",
    "scaling": "parts",
    "scaling_slopes": "parts",
    "sweep": "sweeps",
    "reconstruction": "folds, expression",
    "choice": "folds, condition",
    "folds": "folds, condition",
}
OF_DRAWS = ("truth", "implanted", "corrupted")  # draws are only compared with the truth
# Those that are known of one fit by itself.
SCORES = (
    "terms", "history", "corrections", "accuracy", "separation", "known_pairs", "objective",
    "best_encoder", "necessity", "families", "ablation", "recovery", "recovery_curves",
    "false_positives", "implanted", "corrupted",
)  # fmt: skip
# Those that the paper's claims are held against.
CLAIMED = (
    "accuracy", "separation", "correlation", "terms", "correlation_seeds", "history", "stability",
    "recovery", "false_positives", "scaling_slopes",
)  # fmt: skip
PAGE_TABLES = (
    "terms", "accuracy", "folds", "separation", "stability", "correlation", "correlation_seeds",
    "necessity", "families", "gene_sets",
)  # fmt: skip

# The share of a false term's genes in one true set from which on it counts as overlapping, and the
# false discovery rate at which loadings count as different between conditions.
CALLING = {"share": 0.25, "fdr": 0.05}
# From which |r| with an implanted activity on a term follows it: of 2,000 cells, chance alone
# reaches this in fewer than one of 100,000 terms.
FOLLOWS = 0.1
# The penalties at which every autoencoder's objective is compared: the paper's.
PUBLISHED = {"lambda0": 0.1, "lambda1": 0.93, "lambda2": 0.43, "lambda3": 0.57}


class Jobs:
    """Paths, inputs and parameters of the rules.

    Parameters
    ----------
    benchmark
        The checked config.

    Attributes
    ----------
    loaded, prepared, model, facts, scores, halves, unseen, map, part, sweep
        Patterns of paths, with the wildcards that rules have.
    """

    def __init__(self, benchmark: Benchmark):
        self.benchmark = benchmark
        results = self.results = benchmark.config["results"]
        self.logs = f"{results}/logs"
        self.calls_table = f"{results}/tables/implanted_calls.csv"
        self.loaded = f"{results}/{{dataset}}/loaded.h5ad"
        self.prepared = f"{results}/{{dataset}}/prepared.h5ad"
        fit = f"{results}/{{dataset}}/{{method}}/seed{{seed}}"
        self.model, self.facts = f"{fit}/model.h5", f"{fit}/fit.json"
        self.scores, self.unseen = f"{fit}/scores.zip", f"{fit}/unseen/{{table}}.csv"
        self.halves = f"{results}/{{dataset}}/{{method}}/halves.csv"
        self.map = f"{results}/{{dataset}}/umap.csv"
        self.part = f"{results}/{{dataset}}/{{method}}/scaling/{{n_cells}}.csv"
        self.sweep = f"{results}/{{dataset}}/sweep/{{sweep}}"
        self.downloads = Downloads(benchmark.config["resources"], benchmark.mirror, Contents())
        # every data set with fits: those of the run, and all draws of its simulations
        self.places = [
            d
            for d in dict.fromkeys([*benchmark.datasets, *benchmark.draw_of])
            if benchmark.methods_of(d)
        ]
        self.points = {
            name: {point_name(point): point for point in benchmark.points_of(name)}
            for name in benchmark.config["sweep"]
        }

    # --- tables

    def tables_of(self, dataset: str) -> list[str]:
        """Return the names of a data set's tables; draws are only compared with the truth."""
        b, drawn = self.benchmark, dataset not in self.benchmark.datasets
        return [
            table
            for table, condition in TABLES.items()
            if (not drawn or condition in OF_DRAWS) and b.holds(condition, dataset)
        ]

    def table(self, dataset: str, table: str) -> str:
        """Return the path of a table of a data set."""
        return f"{self.results}/{dataset}/tables/{table}.csv"

    def joined(self) -> dict[str, list[str]]:
        """Return each table of the run, with the tables of the data sets that it joins."""
        parts: dict[str, list[str]] = {}
        for dataset in self.places:
            for table in self.tables_of(dataset):
                parts.setdefault(table, []).append(self.table(dataset, table))
        return {table: parts[table] for table in TABLES if table in parts}

    def calls(self) -> dict[str, dict[str, Any]]:
        """Return what the table implanted_calls is made of.

        Returns
        -------
        Each implanted truth of the run whose matched null is in the run as well (`null_of: sets`
        in the same cells, prepared alike) -> its design, and the paths of the tables `implanted` of
        its draws (truth) and of the null's.
        """
        b, places = self.benchmark, set(self.places)
        truths, nulls = [], []
        for name, draws in b.simulations.items():
            draws = [draw for draw in draws if draw in places]
            if not draws or b.dataset(draws[0])["source"] != "implanted":
                continue
            entry, null = b.dataset(draws[0]), b.null_of(draws[0])
            made_of = {key: entry.get(key) for key in ("cells_of", "cells", *PREPARED_AS)}
            tables = [self.table(draw, "implanted") for draw in draws]
            if null is None:
                truths.append((name, entry["params"].get("design", "groups"), made_of, tables))
            elif null == "sets":
                nulls.append((made_of, tables))
        return {
            name: {"design": design, "truth": tables, "null": null}
            for name, design, made_of, tables in truths
            if (null := [path for other, paths in nulls if other == made_of for path in paths])
        }

    # --- fits

    def fits(self, pattern: str, dataset: str, methods: list[str] | None = None) -> list[str]:
        """Return the paths of a data set's fits by a pattern, of all methods or of these."""
        of = self.benchmark.methods_of(dataset) if methods is None else methods
        return [
            pattern.format(dataset=dataset, method=m, seed=s)
            for m in of
            for s in self.benchmark.method(m)["seeds"]
        ]

    def fitting(self, method: str) -> dict[str, Any]:
        """Return what changes the fit of a method: a new label must not repeat it."""
        entry = self.benchmark.method(method)
        model = entry["model"]
        return {
            "model": model, "params": entry["params"], "revision": model_of(model).revision
        }  # fmt: skip

    def scores_of(self, dataset: str, method: str) -> list[str]:
        """Return the tables to which a fit of a method adds rows of its own."""
        wanted = [table for table in SCORES if table in self.tables_of(dataset)]
        entry = self.benchmark.method(method)
        model = entry["role"] == "model" and entry["model"] == "Autoencoder"
        exact = solver_of(entry) == "exact"
        without = {
            "known_pairs": not self.benchmark.can(method, "knows_gene_sets"),
            "objective": not model,
            "best_encoder": not model or exact,  # whose encoder is the best one
            "necessity": not model or not exact,
            "families": not model or not exact,
            "ablation": method not in self.benchmark.with_ablations(dataset),
        }
        return [table for table in wanted if not without.get(table, False)]

    def scoring(self, dataset: str) -> dict[str, Any]:
        """Return what the config says of scoring a fit: see :class:`.score.Scored`."""
        settings = CALLING | {"lambdas": PUBLISHED, "follows": FOLLOWS}
        pairs = self.benchmark.known_pairs(dataset)  # where there are none, nothing is scored anew
        return settings | ({"known_pairs": pairs} if pairs else {})

    # --- what is fitted again

    def unseen_of(self, dataset: str, table: str) -> list[str]:
        """Return the paths of a table of unseen cells, one per fit that has folds."""
        folded = self.benchmark.folded(dataset)
        return self.fits(self.unseen.replace("{table}", table), dataset, folded)

    def params_of_part(self, dataset: str, method: str) -> dict[str, Any]:
        """Return how a method is fitted to a part of a data set, with the parts' budget."""
        told = self.fitting(method) | {"threads": self.benchmark.method(method)["threads"]}
        budget = self.benchmark.analysis(dataset)["scaling"]["budget"]
        if "budget" in model_of(told["model"]).parameters and budget is not None:
            told["params"] = told["params"] | {"budget": budget}
        return told

    def sweep_method(self, sweep: str) -> str:
        """Return the method of a sweep."""
        return self.benchmark.sweep(sweep)["method"]

    def sweep_rows(self, dataset: str) -> list[str]:
        """Return the paths of the rows of all sweeps of a data set, the default's first."""
        return [
            f"{self.sweep}/{point}.csv".format(dataset=dataset, sweep=sweep)
            for sweep in self.benchmark.sweeps_of(dataset)
            for point in ["default", *self.points[sweep]]
        ]

    def sweep_fit(self, dataset: str, sweep: str, point: str) -> dict[str, Any]:
        """Return what is told to the fit at a point of a sweep, or at the method's own values."""
        entry, values = self.benchmark.sweep(sweep), self.points[sweep].get(point, {})
        method = entry["method"]
        return self.fitting(method) | {
            "point": values,
            "swept": list(dict.fromkeys(n for p in self.points[sweep].values() for n in p)),
            "held_out": entry["held_out"],
            "draw": entry["seed"],
            "about": {
                "dataset": dataset,
                "method": method,
                "seed": self.benchmark.method(method)["seeds"][0],
                "sweep": sweep,
                "kind": self.benchmark.kind_of_point(sweep, values) if values else "default",
                "point": ", ".join(f"{k} {v}" for k, v in values.items()) or "default",
            },
        }

    # --- what compares fits

    def compare_inputs(self, dataset: str) -> dict[str, Any]:
        """Return what the comparison of a data set's fits reads."""
        tables, b = self.tables_of(dataset), self.benchmark
        inputs: dict[str, Any] = {
            "facts": self.fits(self.facts, dataset),
            "scores": self.fits(self.scores, dataset),
        }
        if dataset in b.datasets or "implanted" in tables:
            inputs["prepared"] = self.prepared.format(dataset=dataset)
        if dataset in b.datasets:
            inputs["models"] = self.fits(self.model, dataset)
            inputs["halves"] = [self.halves.format(dataset=dataset, method=m)
                                for m in b.halved(dataset)]  # fmt: skip
        for table in ("accuracy", "reconstruction", "choice", "folds"):
            if table in tables and b.folded(dataset):
                inputs[table] = self.unseen_of(dataset, table)
        if "scaling" in tables:
            inputs["parts"] = [self.part.format(dataset=dataset, method=m, n_cells=n)
                               for m, n in b.parts_of(dataset)]  # fmt: skip
        if "sweep" in tables:
            inputs["sweep"] = self.sweep_rows(dataset)
        return inputs

    def compare_params(self, dataset: str) -> dict[str, Any]:
        """Return what the comparison of a data set's fits is told."""
        b, analysis = self.benchmark, self.benchmark.analysis(dataset)
        pairs = {"known_pairs": b.known_pairs(dataset)}
        return {
            "dataset": dataset,
            "reference": analysis["reference"],
            "n_terms": analysis["n_terms"],
            "halved": b.halved(dataset),
            "dense": b.by_dense(dataset),
            "ablations": b.with_ablations(dataset),
            "scaled": list(dict.fromkeys(m for m, _ in b.parts_of(dataset))),
            "terms": analysis["terms"],
            "named": named_terms(analysis | pairs),
            "lambdas": PUBLISHED,
            "follows": FOLLOWS,
        }

    def compare_outputs(self, dataset: str) -> dict[str, str]:
        """Return the paths of a data set's tables by their names."""
        return {table: self.table(dataset, table) for table in self.tables_of(dataset)}

    # --- preparation and pages

    def entry(self, dataset: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """Return those keys of a data set's entry, so that no other key repeats a step."""
        entry = self.benchmark.dataset(dataset)
        return {key: entry[key] for key in keys if key in entry}

    def loading(self, dataset: str) -> dict[str, Any]:
        """Return what is told to the step that loads a data set."""
        if self.benchmark.cells_of(dataset) is None:
            return self.entry(dataset, LOADING)
        entry = self.entry(dataset, (*LOADING, "cells_of", "cells"))
        return entry | {"prefixes": self.prefixes(dataset)}

    def files_of(self, dataset: str) -> list[str]:
        """Return a data set's own files, and those of the one whose sets or cells it takes."""
        b, files = self.benchmark, self.benchmark.dataset_files(dataset)
        lender = b.lender_of(dataset)
        if b.cells_of(dataset):
            files.append(self.loaded.format(dataset=lender))
        if lender:
            files.append(self.prepared.format(dataset=lender))
        return files + (b.gene_set_files(dataset) if b.cells_of(dataset) else [])

    def contents(self, files: list[str]) -> dict[str, str | None]:
        """Return name -> checksum of those of these files that no step makes of others."""
        found = {}
        for path in files:
            download = self.benchmark.downloads.get(Path(path).name)
            if download and path == f"{self.benchmark.config['resources']}/{download.name}":
                found[download.name] = self.downloads.content(download)
            elif path in self.benchmark.own_files:
                found[Path(path).name] = self.downloads.contents.of(path)
        return found

    def prefixes(self, dataset: str) -> list[str | None]:
        """Return the prefix to take off the names in each gene set file of a data set."""
        return [e.get("remove_prefix") for e in self.set_entries(dataset).values()]

    def set_entries(self, dataset: str) -> dict[str, Mapping[str, Any]]:
        """Return name -> entry of the config, for the gene set files of a data set."""
        gene_sets = self.benchmark.config["gene_sets"]
        return {name: gene_sets[name] for name in self.benchmark.dataset(dataset)["gene_sets"]}

    def collections(self, dataset: str) -> list[str]:
        """Return what the terms page calls each gene set file of a data set."""
        return [
            f"{entry['msigdb']} (MSigDB {entry['release']})" if "msigdb" in entry else name
            for name, entry in self.set_entries(dataset).items()
        ]

    def page_inputs(self, dataset: str) -> dict[str, Any]:
        """Return what both pages of a data set read: one fit per method, and tables."""
        b = self.benchmark
        shown = [
            m
            for m in b.methods_of(dataset)
            if b.method(m)["role"] != "ablation" and not b.method(m)["permute_annotations"]
        ]
        return {
            "fits": self.first_fits(dataset, shown),
            "prepared": self.prepared.format(dataset=dataset),
            "map": self.map.format(dataset=dataset),
            "files": b.gene_set_files(dataset),
        } | {t: self.table(dataset, t) for t in PAGE_TABLES if t in self.tables_of(dataset)}

    def page_facts(self, dataset: str) -> dict[str, Any]:
        """Return what both pages of a data set are told of the config."""
        b = self.benchmark
        return {
            "dataset": dataset,
            "labels": self.labels(),
            "scores": b.plain_scores(dataset),
            "conditions": b.analysis(dataset).get("conditions"),
            "expected": b.expected(dataset),
        }

    def first_fits(self, dataset: str, methods: list[str]) -> list[str]:
        """Return the path of one fit of each of these methods, that of its first seed."""
        return [
            self.model.format(dataset=dataset, method=m, seed=self.benchmark.method(m)["seeds"][0])
            for m in methods
        ]

    def labels(self) -> dict[str, str]:
        """Return method -> its name in figures."""
        methods = self.benchmark.config["methods"]
        return {name: entry.get("label", name) for name, entry in methods.items()}

    def controls(self) -> list[str]:
        """Return the methods of the config that are controls."""
        methods = self.benchmark.config["methods"]
        return [name for name, entry in methods.items() if entry["role"] == "control"]

    def run_facts(self) -> dict[str, Any]:
        """Return what the checks of the paper's claims need to know of the config."""
        keys = ("label", "model", "role", "params")
        return {
            "methods": {
                name: {key: entry[key] for key in keys if key in entry}
                for name, entry in self.benchmark.config["methods"].items()
            },
            "stands_for": self.benchmark.stands_for(),
            "simulated": list(self.benchmark.draw_of),
        }


def point_name(point: Mapping[str, Any]) -> str:
    """Return the name of a point of a sweep in a path, as `lambda1~0.5_n_dense~1`."""
    return "_".join(f"{name}~{value}" for name, value in point.items())


def rule_name(kind: str, dataset: str) -> str:
    """Return the name of a rule that is made for one data set."""
    return f"{kind}_{re.sub(r'[^0-9A-Za-z_]', '_', dataset)}"

"""What figures and their captions need to know of the config, and what one job of figures reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .drawing import FIGURES, Figure
from .inputs import Facts
from .jobs import CALLING, FOLLOWS, PUBLISHED, Jobs

MANY = 8  # figures, from which on two jobs draw those of a data set


def places(jobs: Jobs) -> list[str]:
    """Return whatever has figures of its own: data sets of the run, and simulations."""
    b = jobs.benchmark
    drawn = [s for s, draws in b.simulations.items() if any(b.methods_of(d) for d in draws)]
    shown = [d for d in b.datasets if b.methods_of(d)]
    return [p for p in dict.fromkeys([*shown, *drawn]) if figures_of(jobs, p)]


def figures_of(jobs: Jobs, place: str) -> list[Figure]:
    """Return the rows of the table of figures that a data set or a simulation has."""
    b = jobs.benchmark
    rows = []
    for row in FIGURES.values():
        if row.per == "simulation":
            draws = b.simulations.get(place, ())
            if any(b.with_terms(draw) and b.holds(row.when, draw) for draw in draws):
                rows.append(row)
        elif row.per != "run" and place in b.datasets and b.holds(row.when, place):
            rows.append(row)
    return rows


def files_of(jobs: Jobs, place: str, facts: Facts) -> list[tuple[Figure, str, str]]:
    """Return each figure of a data set or simulation: its row, its part, and its path's stem."""
    return [
        (row, part, f"{jobs.results}/figures/{place}/{row.stem(part)}")
        for row in figures_of(jobs, place)
        for part in row.parts(facts)
    ]


def shares(jobs: Jobs) -> Iterator[tuple[str, str, Facts, list[tuple[Figure, str, str]]]]:
    """Yield what each job of figures draws: the place, a number, the facts, and the figures.

    The number is empty, or 2 for the second of two jobs that share many figures.
    """
    for place in places(jobs):
        facts = facts_of(jobs, place)
        drawn = files_of(jobs, place, facts)
        parts = {"": drawn[::2], "2": drawn[1::2]} if len(drawn) > MANY else {"": drawn}
        for number, share in parts.items():
            findings = f"{jobs.results}/figures/{place}/findings{number}.rst"
            yield place, number, facts | {"findings": findings}, share


def inputs_of(jobs: Jobs, place: str) -> dict[str, Any]:
    """Return the paths that the figures of a data set or simulation read, by name."""
    b, rows = jobs.benchmark, figures_of(jobs, place)
    inputs: dict[str, Any] = {}
    for row in rows:
        sources = b.simulations[place] if row.per == "simulation" else [place]
        for table in row.tables:
            paths = [jobs.table(d, table) for d in sources if table in jobs.tables_of(d)]
            if paths:
                inputs[table] = paths
    needs = {need for row in rows for need in row.needs}
    if "implanted_calls" in needs and place in jobs.calls():
        inputs["implanted_calls"] = [jobs.calls_table]
    if needs & {"prepared", "fits", "first_fits"}:
        inputs["prepared"] = jobs.prepared.format(dataset=place)
    if needs & {"fits", "first_fits"}:
        inputs["fits"] = jobs.fits(jobs.model, place, b.shown_methods(place))
    return inputs


def facts_of(jobs: Jobs, place: str) -> Facts:
    """Return what the figures of a data set or simulation, and their captions, are told."""
    b = jobs.benchmark
    facts: Facts = {
        "dataset": place,
        "labels": jobs.labels(),
        "roles": {m: e["role"] for m, e in b.config["methods"].items()},
        "models": {m: e["model"] for m, e in b.config["methods"].items()},
        **CALLING,
        "follows": FOLLOWS,
        "recommended": b.recommended(place if place in b.datasets else b.simulations[place][0]),
    }
    if place in b.simulations:
        facts["planted"] = _planted(jobs, place)
    if place in b.datasets:
        facts |= _of_dataset(jobs, place)
    return facts


def _of_dataset(jobs: Jobs, dataset: str) -> Facts:
    b, labels = jobs.benchmark, jobs.labels()
    entry, analysis = b.dataset(dataset), b.analysis(dataset)
    methods, shown = b.methods_of(dataset), b.shown_methods(dataset)
    scatter = analysis.get("scatter", [])

    def folds(ability: str) -> dict[int, list[str]]:
        said: dict[int, list[str]] = {}
        for method in b.folded(dataset):
            if b.can(method, ability):
                said.setdefault(b.method(method)["folds"], []).append(labels[method])
        return said

    stopped = [m for m in methods if b.method(m)["params"].get("budget")]
    return {
        "cell_labels": list(entry["labels"]),
        "donors": "donor" in entry["labels"],
        "shown": shown,
        "permuted": b.permuted(dataset),
        "without_sets": [m for m in labels if not b.can(m, "knows_gene_sets")],
        "controls": [labels[m] for m in methods if b.method(m)["role"] == "control"],
        "scores": b.plain_scores(dataset),
        # only those whose fits no budget can stop
        "families": [f for f in b.dense_families(dataset) if not set(f) & set(stopped)],
        "folds": folds("infers_new_cells"),
        "folds_reconstructing": folds("reconstructs"),
        "beside_ablations": {
            labels[m]: len(b.method(m)["seeds"]) for m in b.with_ablations(dataset)
        },
        "terms": analysis["terms"],
        "scatter_terms": scatter,
        "loadings_terms": analysis["loadings"]["terms"] or scatter,
        "expected": b.expected(dataset),
        "n_terms": analysis["n_terms"],
        "conditions": analysis.get("conditions"),
        "cell_types": analysis["loadings"]["cell_types"],
        "known_pairs": b.known_pairs(dataset),
        "lambdas": PUBLISHED,
        "scaling": analysis["scaling"],
        "projected": any(b.method(m)["model"] == "Slalom" for m, _ in b.parts_of(dataset)),
        "sweeps": {name: _sweep(jobs, name) for name in b.sweeps_of(dataset)},
    }


def _sweep(jobs: Jobs, name: str) -> dict[str, Any]:
    method = jobs.sweep_method(name)
    entry = jobs.benchmark.method(method)
    return {
        "entry": jobs.benchmark.sweep(name),
        "label": jobs.labels()[method],
        "model": entry["model"],
        "own": entry["params"],
    }


def _planted(jobs: Jobs, simulation: str) -> dict[str, Any]:
    draws = jobs.benchmark.simulations[simulation]
    entries = [jobs.benchmark.dataset(draw) for draw in draws]
    return {
        "n_draws": len(draws),
        "seeds": [entry["params"].get("seed", 0) for entry in entries],
        "sizes": {k: v for k, v in entries[0]["params"].items() if k != "seed"},
        "annotations_of": entries[0]["annotations_of"],
        "cells_of": entries[0]["cells_of"],
        "cells": entries[0]["cells"],
        "prepared_of": entries[0]["prepared_of"],
        "null_of": entries[0]["params"].get("null_of"),
        "has_null": simulation in jobs.calls(),
    }


def run_facts(jobs: Jobs) -> Facts:
    """Return what the figures of the whole run are told."""
    b = jobs.benchmark
    return {
        "labels": jobs.labels(),
        "roles": {m: e["role"] for m, e in b.config["methods"].items()},
        "draw_of": b.draw_of,
        "recommended": next(filter(None, map(b.recommended, b.datasets)), None),
        "findings": f"{jobs.results}/figures/findings.rst",
    }

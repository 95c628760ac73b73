"""The command `intae`: look at a config before anything runs, or print its reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import ConfigError, IntaeError, suggest
from ..sources import SOURCES
from ..sources.downloads import find_in_mirror
from .config import DEFAULTS, load_config, reference
from .console import in_words
from .jobs import Jobs
from .models import folders_of_models, look_in, model_of
from .outlook import STEP, Cost, cost_of, count_steps, look, measured_on
from .plan import Benchmark, terms_by_key
from .runs import compare_runs

EFFORT = {"quick": "less", "full": "more"}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    parser = argparse.ArgumentParser(prog="intae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="say what a config would run, and what is missing")
    check.add_argument(
        "config", nargs="*", type=Path, help="your files, laid over config.yaml in order"
    )
    compare = commands.add_parser(
        "compare", help="say what differs between two runs; exit 1 if more than times does"
    )
    compare.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="folders of results")
    commands.add_parser("reference", help="print all keys of the config, as Markdown")
    chosen = parser.parse_args(arguments)
    if chosen.command == "reference":
        print(reference(), end="")
        return 0
    try:
        if chosen.command == "compare":
            lines, differ = compare_runs(*chosen.runs)
            print("\n".join(lines) or "no difference")
            return int(differ)
        look_in(folders_of_models(chosen.config))
        text = describe(Benchmark(load_config([DEFAULTS, *chosen.config])))
    except (IntaeError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0


def describe(benchmark: Benchmark) -> str:
    """Say what would run: data sets with their files, methods with their seeds, number of fits."""
    lines, total, jobs, in_all = [], 0, Jobs(benchmark), Cost()
    sizes_of: dict[str, tuple[int, int] | None] = {}
    draws = [d for several in benchmark.simulations.values() for d in several]
    every = list(dict.fromkeys([*benchmark.datasets, *draws]))
    first_draws: dict[str, tuple[str, list[str]]] = {}
    for dataset in every:
        begin = len(lines)
        entry, fits = benchmark.dataset(dataset), benchmark.fits_of(dataset)
        total += len(fits)
        size = _cells(dataset, benchmark)
        _check_terms(dataset, benchmark)
        lines.append(f"{dataset}: source {entry['source']}{size}, {_many(len(fits), 'fit')}")
        files = [*benchmark.dataset_files(dataset), *benchmark.gene_set_files(dataset)]
        lender = benchmark.lender_of(dataset)
        if lender:
            what = {"implanted": "cells and gene sets", "corrupted": "prepared data"}
            lines.append(f"  {what.get(entry['source'], 'gene sets')} of {lender}")
            if lender not in benchmark.datasets:
                files += [*benchmark.dataset_files(lender), *benchmark.gene_set_files(lender)]
        for path in files:
            lines.append(f"  {path}: {_whereabouts(Path(path), benchmark)}")
        for role, column in entry["labels"].items():
            lines.append(f"  {role}: column {column!r}")
        found, sizes_of[dataset] = look(jobs, dataset)
        lines += found
        size_found = sizes_of[dataset] or sizes_of.get(lender or "")
        if size_found:
            cost = cost_of(benchmark, dataset, *size_found)
            in_all.join(cost)
            lines.append(f"  {cost.fits} fits, all counted: {_about(cost)}")
        if dataset not in benchmark.datasets:
            lines.append("  only compared with the truth")
        elif not entry["labels"]:
            lines.append("  no labels: nothing is said of separation")
        by_method: dict[str, list[str]] = {}
        for method, seed in fits:
            by_method.setdefault(method, []).append(str(seed))
        for method, seeds in by_method.items():
            chosen = benchmark.method(method)
            line = f"  {method}: seed {', '.join(seeds)}"
            if chosen["halves"] and dataset in benchmark.datasets:
                kinds = 2 if "donor" in entry["labels"] else 1
                line += f"; up to {2 * kinds * chosen['halves']} fits of halves"
            if chosen["folds"] and dataset in benchmark.datasets:
                line += f"; up to {chosen['folds'] * len(seeds)} fits without a fold"
            if "budget" in model_of(chosen["model"]).parameters:
                budget = chosen["params"].get("budget")
                line += f"; up to {budget / 60:g} min" if budget else "; no budget"
            lines.append(line)
        sizes = benchmark.analysis(dataset)["scaling"]["sizes"]
        if benchmark.parts_of(dataset):
            n_parts = len(benchmark.parts_of(dataset))
            lines.append(f"  cost at {', '.join(map(str, sizes))} cells: up to {n_parts} fits")
        for name in benchmark.sweeps_of(dataset):
            n_points = len(benchmark.points_of(name)) + 1
            lines.append(f"  sweep {name}: {n_points} fits of {benchmark.sweep(name)['method']}")
        if dataset in benchmark.draw_of:
            said = lines[begin + 1 :]
            first, alike = first_draws.setdefault(benchmark.draw_of[dataset], (dataset, said))
            if dataset != first and said == alike:
                lines[begin:] = [f"{dataset}: as {first}, {_many(len(fits), 'fit')}"]
    lines += benchmark.tell_skipped()
    effort = benchmark.config["run"]["effort"]
    if effort != "standard":
        lines.append(f"effort {effort}: fits are repeated {EFFORT[effort]} than the entries say")
    steps = count_steps(jobs)
    said = _many(len(every), "data set"), _many(total, "fit"), _many(steps, "step")
    lines.append("in all: {}, {} of all cells, {}".format(*said))
    unknown = dict.fromkeys(
        benchmark.draw_of.get(name, name) for name in every
        if not (sizes_of[name] or sizes_of.get(benchmark.lender_of(name) or ""))
    )  # fmt: skip
    if in_all.fits:
        in_all.seconds += STEP * steps
        but = f", without {', '.join(unknown)}" if unknown else ""
        lines.append(
            f"about, on one core{but}: {_about(in_all)} (other steps included; an estimate, from "
            f"slopes measured on {measured_on()})"
        )
    return "\n".join(lines)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s'[: number != 1]}"


def _about(cost: Cost) -> str:
    but = f" and {cost.unknown} of them of unknown cost" if cost.unknown else ""
    return f"{in_words(cost.seconds)} and up to {cost.mb / 1024:.1f} GB{but}"


def _check_terms(dataset: str, benchmark: Benchmark) -> None:
    """Refuse terms that no gene set is called, where all gene set files are here."""
    named, known = terms_by_key(benchmark.analysis(dataset)), []
    gene_sets = benchmark.config["gene_sets"]
    files = zip(
        benchmark.gene_set_files(dataset), benchmark.dataset(dataset)["gene_sets"], strict=True
    )
    for path, name in files:
        found = (
            Path(path) if Path(path).exists() else find_in_mirror(Path(path).name, benchmark.mirror)
        )
        if found is None:
            return
        from ..gene_sets import read_gene_sets

        known += read_gene_sets(found, remove_prefix=gene_sets[name].get("remove_prefix"))
    if known and any(named.values()):
        from ..prepared import check_named

        check_named(named, known, f"config, analyses: {dataset}")


def _cells(dataset: str, benchmark: Benchmark) -> str:
    """Say how many cells and genes a data set has before any filter, as far as that is known."""
    entry = benchmark.dataset(dataset)
    size = SOURCES[entry["source"]].SIZE if entry["source"] in SOURCES else ""
    if size:
        return f" ({size})"
    if entry["source"] == "simulated":
        n_cells, n_genes = (
            entry["params"].get(name, default)
            for name, default in (("n_cells", 1000), ("n_genes", 300))
        )
        genes = "the genes of " + entry["annotations_of"] if entry["annotations_of"] else None
        return f" ({n_cells:,} cells x {genes or f'{n_genes:,} genes'})"
    if entry["source"] in ("implanted", "corrupted"):
        return f" (cells of {benchmark.lender_of(dataset)})"
    path = Path(benchmark.dataset_files(dataset)[0])
    path = path if path.exists() else find_in_mirror(path.name, benchmark.mirror)
    if path is None or path.suffix != ".h5ad":
        return ""
    from ..io import read_h5ad
    from ..sources.loading import check_named_values

    adata = read_h5ad(path, backed="r")
    n_cells, n_genes = adata.shape
    adata.file.close()
    if "metadata" not in entry:
        wanted = {f"labels: {role}": column for role, column in entry["labels"].items()}
        wanted |= {f"filter: {column}": column for column in entry["filter"]}
        for where, column in wanted.items():
            if column not in adata.obs:
                msg = f"config, datasets: {dataset}, {where}: there is no column {column!r} in obs"
                raise ConfigError(msg + suggest(column, adata.obs.columns))
        check_named_values(dataset, adata.obs, entry["labels"], benchmark.analysis(dataset))
    return f" ({n_cells:,} cells x {n_genes:,} genes)"


def _whereabouts(path: Path, benchmark: Benchmark) -> str:
    """Say whether a file is here, in the mirror or must be downloaded."""
    if path.exists():
        return _size(path)
    found = find_in_mirror(path.name, benchmark.mirror)
    if found:
        return f"in the mirror, {_size(found)}"
    urls = benchmark.downloads[path.name].urls
    return f"to be downloaded from {urls[0]}" if urls else "missing, and no address is known"


def _size(path: Path) -> str:
    return f"here, {path.stat().st_size / 2**20:.1f} MB" if path.is_file() else "here, a folder"

"""`python -m intae`: look at a config before anything runs, or print its reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .config import SCHEMA, Benchmark, ConfigError
from .config_files import load_config, reference
from .mirror import find_in_mirror

DEFAULT = SCHEMA.parents[1] / "config.yaml"


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m intae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="say what a config would run, and what is missing")
    check.add_argument(
        "config", nargs="*", type=Path, help="your files, laid over config.yaml in order"
    )
    commands.add_parser("reference", help="print all keys of the config, as Markdown")
    chosen = parser.parse_args(arguments)
    if chosen.command == "reference":
        print(reference(), end="")
        return 0
    try:
        benchmark = Benchmark(load_config([DEFAULT, *chosen.config]))
    except (ConfigError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(describe(benchmark))
    return 0


def describe(benchmark: Benchmark) -> str:
    """Say what would run: data sets with their files, methods with their seeds, number of fits."""
    lines, total = [], 0
    for dataset in benchmark.datasets:
        entry, fits = benchmark.dataset(dataset), benchmark.fits_of(dataset)
        total += len(fits)
        lines.append(f"{dataset}: source {entry['source']}, {len(fits)} fits")
        for path in [*benchmark.dataset_files(dataset), *benchmark.gene_set_files(dataset)]:
            lines.append(f"  {path}: {_whereabouts(Path(path), benchmark)}")
        for role, column in entry["labels"].items():
            lines.append(f"  {role}: column {column!r}")
        if not entry["labels"]:
            lines.append("  no labels: nothing is said of separation")
        by_method: dict[str, list[str]] = {}
        for method, seed in fits:
            by_method.setdefault(method, []).append(str(seed))
        for method, seeds in by_method.items():
            lines.append(f"  {method}: seed {', '.join(seeds)}")
    lines.append(f"{len(benchmark.datasets)} data sets, {total} fits")
    return "\n".join(lines)


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


if __name__ == "__main__":
    sys.exit(main())

"""What a run was made with and what it lacks, kept with its results; and two runs told apart.

Nothing heavy is imported at the top, since the Snakefile imports this.
"""

from __future__ import annotations

import csv
import getpass
import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import IntaeError
from ..io import whole_file
from .host import describe_host

if TYPE_CHECKING:
    import pandas as pd

    from .jobs import Jobs

MISSING = ("dataset", "method", "seed", "step", "why", "log")
# Whole numbers that name a row; others are values.
NAMES = {"seed", "seed_a", "seed_b", "fold", "iteration", "family", "n_cells", "n_ranked"}
# What differs between two runs of the same thing.
TIMES = {"seconds", "peak_mb", "minutes", "own"}


def describe_run(jobs: Jobs, checkout: str | Path) -> dict[str, Any]:
    """Return what a run was made with: config, machine, versions, revision, contents of its files.

    Parameters
    ----------
    jobs
        Of the run.
    checkout
        The folder of the workflow, asked for its git revision.
    """
    import snakemake

    b = jobs.benchmark
    names = [*b.datasets, *b.draw_of]
    lent = [lender for name in names if (lender := b.lender_of(name))]
    files = [
        path
        for name in dict.fromkeys([*names, *lent])
        for path in (*b.dataset_files(name), *b.gene_set_files(name))
    ]
    host = describe_host()
    machine = {k: host.pop(k) for k in ("cpu", "cores", "memory_gb", "gpu", "system")}
    return {
        "config": b.config,
        "revision": _revision(checkout),
        "versions": host | {"snakemake": snakemake.__version__},
        "host": {"name": platform.node(), "user": _user()} | machine,
        "files": jobs.contents(list(dict.fromkeys(files))),
    }


def write_run(about: Mapping[str, Any], path: str | Path) -> None:
    """Write what a run was made with, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(json.dumps(about, indent=1, default=str) + "\n", encoding="utf-8")


def write_missing(failed: Sequence[Mapping[str, str]], path: str | Path) -> None:
    """Write which steps failed, and why; where none did, there is no such file."""
    if not failed:
        Path(path).unlink(missing_ok=True)
        return
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, MISSING, lineterminator="\n")
        writer.writeheader()
        writer.writerows(failed)


def read_missing(path: str | Path) -> list[dict[str, str]]:
    """Read which steps of an earlier run failed; none where there is no such file."""
    if not Path(path).exists():
        return []
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["dataset"]]


def compare_runs(a: str | Path, b: str | Path) -> tuple[list[str], bool]:
    """Tell two runs apart by what they were made with, and by their tables.

    Parameters
    ----------
    a, b
        Their folders of results.

    Returns
    -------
    What differs, a line each; and whether more than times and memory differ in the tables.

    Raises
    ------
    IntaeError
        If a folder holds no tables of a run.
    """
    a, b = Path(a), Path(b)
    for folder in (a, b):
        if not (folder / "tables").is_dir():
            msg = f"{folder}: holds no tables/; name the folder of results of a run"
            raise IntaeError(msg)
    lines = list(_made_with(_read_run(a), _read_run(b)))
    names = [{path.stem for path in (f / "tables").glob("*.csv")} for f in (a, b)]
    differ = False
    for name in sorted(names[0] | names[1]):
        if name not in names[0] or name not in names[1]:
            lines.append(f"table {name}: only in {a if name in names[0] else b}")
            differ = True
            continue
        paths = [f / "tables" / f"{name}.csv" for f in (a, b)]
        if paths[0].read_bytes() == paths[1].read_bytes():
            continue
        for line, counts in _between_tables(name, *paths):
            lines.append(line)
            differ |= counts
    return lines, differ


def _between_tables(name: str, a: Path, b: Path) -> Iterator[tuple[str, bool]]:
    """Yield what differs between two tables, and whether it is more than a time."""
    import numpy as np
    import pandas as pd

    one, two = pd.read_csv(a), pd.read_csv(b)
    if list(one) != list(two):
        both = set(one) ^ set(two)
        yield f"table {name}: columns differ ({', '.join(sorted(both)) or 'their order'})", True
    shared = [column for column in one if column in two]
    keys = [c for c in shared if c in NAMES or (not _is_number(one[c]) and not _is_number(two[c]))]
    one, two = (_numbered(table[shared], keys) for table in (one, two))
    for here, there, path in ((one, two, a.parents[1]), (two, one, b.parents[1])):
        alone = here.index.difference(there.index)
        if len(alone):
            example = " ".join(map(str, alone[0][:-1]))
            yield f"table {name}: {len(alone)} rows only in {path}, such as {example}", True
    rows = one.index.intersection(two.index)
    one, two = one.loc[rows], two.loc[rows]
    for column in one:
        x, y = one[column].astype(float), two[column].astype(float)
        apart = np.where(x.isna() & y.isna(), 0, (x - y).abs())
        apart = np.where(np.isnan(apart), np.inf, apart)
        apart = np.where(x == y, 0, apart)
        if not apart.size or not apart.any():
            continue
        at = int(apart.argmax())
        where = " ".join(map(str, rows[at][:-1]))
        line = (
            f"table {name}: {column} differs in {int((apart > 0).sum())} of {len(rows)} rows, "
            f"at most by {apart[at]:.3g} ({x.iloc[at]:.6g} and {y.iloc[at]:.6g}: {where})"
        )
        yield line, column not in TIMES


def _is_number(column: pd.Series) -> bool:
    return column.dtype.kind in "fi" or bool(column.isna().all())


def _numbered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Index a table by the columns that name its rows, and by a number among rows of one name."""
    names = table[keys].astype(str)
    number = names.groupby(keys).cumcount() if keys else range(len(table))
    index = names.assign(number=number).set_index([*keys, "number"]).index
    values = table.drop(columns=keys)
    values.index = index
    return values


def _made_with(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    if not (a and b):
        yield "made with: not known of both, there is no whole run.json"
        return
    flat = [dict(_flat(run)) for run in (a, b)]
    for key in dict.fromkeys([*flat[0], *flat[1]]):
        values = [json.dumps(run[key]) if key in run else "(not there)" for run in flat]
        if values[0] != values[1]:
            yield f"{key}: {values[0]} and {values[1]}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}: {key}" if path else str(key))
    elif path:
        yield path, value


def _read_run(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _revision(checkout: str | Path) -> str:
    """Return the git revision of a folder, marked where files were changed since."""

    def ask(*command: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(checkout), *command], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = ask("status", "--porcelain", "--untracked-files=no")
        return ask("rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "not known"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        return "not known"

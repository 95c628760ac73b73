"""What each step asks a cluster for: memory and minutes that follow the data, and a GPU.

A cluster ends a step that takes more than it asked for. The Slurm profile then tries it again, and
each attempt asks for twice as much as the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .plan import Benchmark
from .registry import MODELS, package_of, trains_a_network


class Request(NamedTuple):
    """What a step asks for: so much at least, and more for each MB of its input files.

    Memory grows less from `CHUNKED_MB` on, since cells are then read in chunks (:mod:`.reading`).
    """

    mem_mb: int
    mem_per_mb: float
    minutes: int
    minutes_per_mb: float

    def memory(self, size_mb: float, attempt: int) -> int:
        """Return the memory (MB) to ask for."""
        whole = min(size_mb, CHUNKED_MB)
        return grown(
            self.mem_mb + self.mem_per_mb * whole + MEM_PER_MB_CHUNKED * (size_mb - whole), attempt
        )

    def runtime(self, size_mb: float, attempt: int) -> int:
        """Return the minutes to ask for."""
        return grown(self.minutes + self.minutes_per_mb * size_mb, attempt)


def grown(amount: float, attempt: int) -> int:
    """Return what an attempt asks for (the first is 1): twice what the one before asked for."""
    return round(amount * 2 ** (attempt - 1))


CHUNKED_MB, MEM_PER_MB_CHUNKED = 250, 4
# Small files are compressed, so a MB of them is many MB in memory.
STEPS = {
    "load": Request(2000, 60, 30, 1),
    "prepare": Request(2000, 60, 30, 1),
    "fit": Request(2000, 40, 60, 15),
    "score": Request(2000, 40, 30, 5),
    "compare": Request(2000, 10, 30, 1),
    "figures": Request(2000, 10, 30, 1),
}
# Of so few cells, or of files so small, all steps but fits take seconds: too little to queue for.
FEW_CELLS, FEW_MB = 5000, 10


def fit_request(entry: Mapping[str, Any], size_mb: float, attempt: int) -> dict[str, int]:
    """Return memory and minutes that a fit asks for.

    Parameters
    ----------
    entry
        Of the method. Its `mem_mb` and `runtime` come before what follows from the data.
    size_mb
        Of the prepared data, as a file.
    attempt
        1 for the first.
    """
    step = STEPS["fit"]
    memory, minutes = entry["mem_mb"], entry["runtime"]
    return {
        "mem_mb": grown(memory, attempt) if memory else step.memory(size_mb, attempt),
        "runtime": grown(minutes, attempt) if minutes else step.runtime(size_mb, attempt),
    }


def gpu_request(entry: Mapping[str, Any], cluster_gpus: str, local: bool) -> dict[str, Any]:
    """Return how a fit asks for a GPU: the resources `gpu`, and `gres` or None.

    On this machine `gpu` only counts networks, so that a limit (`--resources gpu=1`) lets them run
    one after the other, with a GPU or without. A cluster refuses a job that asks for a GPU where
    there is none, so there nothing is asked for unless the config says how.

    Parameters
    ----------
    entry
        Of the method.
    cluster_gpus
        Of the config: `none`, `gpu` or `gres`.
    local
        Whether steps run on this machine.
    """
    network = trains_a_network(entry)
    return {
        "gpu": int(network and (local or cluster_gpus == "gpu")),
        "gres": "gpu:1" if network and not local and cluster_gpus == "gres" else None,
    }


def fits_quickly(entry: Mapping[str, Any]) -> bool:
    """Say whether a method's fit takes no longer than its scores, whatever the size of the data.

    Known of the models of this repository only: not of a network, of what a budget may have to end
    or of f-scLVM along slalom's path.
    """
    known = MODELS.get(entry["model"])
    if known is None or "budget" in known.parameters or package_of(entry):
        return False
    return not trains_a_network(entry) and entry["params"].get("compat") != "slalom"


def is_quick(benchmark: Benchmark, place: str) -> bool:
    """Say whether a data set, or all draws of a simulation, are known to have few cells."""
    names = benchmark.simulations.get(place, [place])
    return all(_has_few_cells(benchmark, name) for name in names)


def loads_quickly(benchmark: Benchmark, name: str) -> bool:
    """Say whether a data set is known to have few cells also before a part of them is drawn."""
    drawn_from_many = "subset" in benchmark.dataset(name) and not _has_small_files(benchmark, name)
    return is_quick(benchmark, name) and not drawn_from_many


def _has_few_cells(benchmark: Benchmark, name: str) -> bool:
    entry = benchmark.dataset(name)
    n_cells = entry["params"].get("n_cells") or (entry.get("subset") or {}).get("n_cells")
    if n_cells:
        return n_cells <= FEW_CELLS
    lender = benchmark.cells_of(name) or entry["prepared_of"]
    return _has_few_cells(benchmark, lender) if lender else _has_small_files(benchmark, name)


def _has_small_files(benchmark: Benchmark, name: str) -> bool:
    """Say whether all files are the user's and small; a download may come while the run goes on."""
    files = benchmark.dataset_files(name)
    if not benchmark.own_files.issuperset(files):
        return False
    folders = [path for path in map(Path, files) if path.is_dir()]
    parts = [part for folder in folders for part in folder.iterdir()]
    return sum(path.stat().st_size for path in [*map(Path, files), *parts]) <= FEW_MB * 1e6

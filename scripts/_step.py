"""What every step does: it finds the library, keeps a log, and tells a user's mistake plainly."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import __main__

# The library is installed, or it lies beside this folder (environments made by conda).
ROOT = str(Path(__file__).resolve().parents[1])
sys.path.insert(0, ROOT)
# and so do processes that it starts
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))

# Wherever dask and xarray are installed anndata imports them, a fifth of what a step has to import.
# Steps read files and have no such arrays, so anndata finds none, unless the config asks for Dask;
# whoever needs them later does.
config = getattr(getattr(__main__, "snakemake", None), "config", {})
UNUSED = [name for name in ("dask", "xarray") if not config.get("dask") and name not in sys.modules]
sys.modules.update(dict.fromkeys(UNUSED))  # None: cannot be imported
with suppress(ImportError):  # who only fetches files may lack it
    import anndata  # noqa: F401
for name in UNUSED:
    del sys.modules[name]

from intae.benchmark.logs import log_to
from intae.benchmark.models import look_in


def step(snakemake) -> AbstractContextManager[None]:
    """Send all that the block says to the rule's log file, errors last."""
    look_in(snakemake.config["folders_of_models"])
    return log_to(snakemake.log[0], snakemake.resources)


def chunks(snakemake) -> dict[str, Any]:
    """Return how the config wants the cells of this step's data set to be read: see `cells_of`."""
    entry = snakemake.config["datasets"].get(snakemake.wildcards.dataset, {})
    return {
        "chunked": entry.get("chunked"),
        "dask": snakemake.config.get("dask"),
        "workers": snakemake.threads,
    }

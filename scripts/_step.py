"""What every step does: it finds the library, keeps a log, and tells a user's mistake plainly."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path

# The library is installed, or it lies beside this folder (environments made by conda).
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Wherever dask and xarray are installed anndata imports them, a fifth of what a step has to import.
# Steps read files and have no such arrays, so anndata finds none; whoever needs them later does.
UNUSED = [name for name in ("dask", "xarray") if name not in sys.modules]
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

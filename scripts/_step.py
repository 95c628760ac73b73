"""What every step does: it finds the library, keeps a log, and tells a user's mistake plainly."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

# The library is installed, or it lies beside this folder (environments made by conda).
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


class Later(ModuleType):
    """Stands for a module while others import it: what is in it is looked up when it is called.

    Each name is a class that nothing is an instance of, and a call of it is one of the real thing.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(_: type, *args: Any, **kwargs: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*args, **kwargs)

        return type(name, (), {"__new__": call})


# More than half of what a step imports it never uses. What anndata imports only where it is
# installed cannot be imported, and what anndata and scikit-learn want for a few functions and
# classes has a stand-in (no step reads zarr). Both hold only here, and whoever imports one of these
# later has the real thing.
STAND_INS: dict[str, ModuleType | None] = {
    **dict.fromkeys(("dask", "xarray")),  # None: cannot be imported
    **{name: Later(name) for name in ("scipy.stats", "zarr")},
}
STAND_INS = {name: module for name, module in STAND_INS.items() if name not in sys.modules}
sys.modules.update(STAND_INS)
with suppress(ImportError):  # who only fetches files may lack them
    import anndata  # noqa: F401
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.model_selection  # noqa: F401
for name in STAND_INS:
    del sys.modules[name]

from intae.benchmark.logs import log_to
from intae.benchmark.models import look_in


def step(snakemake) -> AbstractContextManager[None]:
    """Send all that the block says to the rule's log file, errors last."""
    look_in(snakemake.config["folders_of_models"])
    return log_to(snakemake.log[0], snakemake.resources)

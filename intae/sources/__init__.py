"""Where data come from: a module for each known source, and the user's own file.

A known source is one module with three public things:

- `FILES`: the downloads that it needs, in the order in which `load` takes them.
- `SIZE`: cells x genes before any filter, as text; empty where the config decides.
- `load(*files, **params)`: the data, cells x genes, with their labels in obs. What its params may
  be stands in :mod:`intae.parameters`.

To add one: write the module, add it to `SOURCES`, and test it. The config check reads `FILES` and
`SIZE` where only Snakemake's own dependencies are installed, so these modules import NumPy, anndata
and the like inside their functions.

The user's own file is read by `file`; `loading` does what all data sets share; `downloads` brings
files here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from . import buettner15, corrupted, covid_balf, implanted, kang17, macosko15, simulated

SOURCES: dict[str, ModuleType] = {
    "kang17": kang17,
    "macosko15": macosko15,
    "covid_balf": covid_balf,
    "buettner15": buettner15,
    "simulated": simulated,
    "implanted": implanted,
    "corrupted": corrupted,
}
# sources that draw data -> the function that does, whose arguments their `params` are
FUNCTIONS = {
    "simulated": "simulate",
    "implanted": "implant",
    "corrupted": "corrupt_annotations",
}
AS_PREPARED = ("simulated", "corrupted")  # sources that load prepared data


def function_of(source: str, params: Mapping[str, Any]) -> str:
    """Return the function of :data:`intae.parameters.PARAMETERS` that takes these `params`.

    Parameters
    ----------
    source
        As the config names it.
    params
        Those of the data set.

    Returns
    -------
    `load` for a known source that draws nothing; an empty string for a file, which takes none.
    """
    if source == "implanted" and params.get("null_of") is not None:
        return "implanted_null"
    return "" if source == "file" else FUNCTIONS.get(source, "load")

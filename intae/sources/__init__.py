"""Where data come from: a module for each known source, and the user's own file.

A known source is one module with three public things:

- `FILES`: the downloads that it needs, in the order in which `load` takes them.
- `SIZE`: cells x genes before any filter, as text; empty where the config decides.
- `load(*files, **params)`: the data, cells x genes, with their labels in obs.

To add one: write the module, add it to `SOURCES`, and test it. The config check reads `FILES` and
`SIZE` where only Snakemake's own dependencies are installed, so these modules import NumPy, anndata
and the like inside their functions.

The user's own file is read by `file`; `loading` does what all data sets share; `downloads` brings
files here.
"""

from __future__ import annotations

from types import ModuleType

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
AS_PREPARED = ("simulated", "corrupted")  # sources that load prepared data

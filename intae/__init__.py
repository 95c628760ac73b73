"""Interpretable factor models of single-cell data with gene sets, and what compares them."""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

# Imported when first used, so that `import intae` is quick and needs neither torch nor slalom. No
# module here may have the name of a public function: importing it would hide the function.
_HOMES = {
    "Autoencoder": "autoencoder",
    "CNMF": "peers.cnmf",
    "ExpiMap": "peers.expimap",
    "FSCLVM": "fsclvm",
    "FactorModel": "base",
    "GeneSetScore": "controls",
    "LinearSCVI": "peers.linearscvi",
    "MOFAFLEX": "peers.mofaflex",
    "MaskedAutoencoder": "autoencoder",
    "MuVI": "peers.muvi",
    "PCA": "controls",
    "PLIER": "plier",
    "Slalom": "slalom",
    "Spectra": "peers.spectra",
    "corrupt_annotations": "corruption",
    "fit_together": "autoencoder",
    "implant": "implanted",
    "implanted_null": "implanted",
    "load": "fits",
    "prepare": "preparation",
    "read_gene_sets": "gene_sets",
    "simulate": "simulation",
    "verbose": "progress",
}

_MODULES = ("pl", "tl")  # public as wholes

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str):
    """Import a public name from the module where it lives."""
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOMES:
        msg = f"module 'intae' has no attribute {name!r}"
        raise AttributeError(msg)
    module = importlib.import_module(f".{_HOMES[name]}", __name__)
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Import the published slalom package (1.0.0.dev11) in an environment newer than it is.

Its code is run as it was published. What changed since 2017 is around it: SciPy no longer passes
on NumPy's functions (slalom calls `scipy.log`, `scipy.dot`, `scipy.random`), scikit-learn dropped
the name `RandomizedPCA` (imported there, never used), and `pkg_resources`, still part of
setuptools below 81, warns whenever it is imported. The missing names are there while the package
is imported and are taken away again; afterwards only slalom's own modules see a `scipy` that
still has them.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import scipy
import sklearn.decomposition


class _OldSciPy(ModuleType):
    """SciPy as slalom knew it: what SciPy lacks is looked up in NumPy."""

    def __getattr__(self, name: str) -> Any:
        return _old_name(name)


def _old_name(name: str) -> Any:
    try:
        return getattr(scipy, name)
    except AttributeError:
        pass
    if name in ("randn", "rand"):  # SciPy passed on these two of numpy.random as well
        return getattr(np.random, name)
    return getattr(np, name)


def import_slalom() -> ModuleType:
    """Import the slalom package, or return it when it is imported already.

    Returns
    -------
    The package; `slalom.initFA` and `slalom.CSparseFA` work.

    Raises
    ------
    ImportError
        If it is not installed, or something it needs is not; says what to install.
    """
    if sys.modules.get("slalom") is not None:
        return sys.modules["slalom"]
    # Loaded first, so that none of them sees the changed scipy below.
    for name in ("matplotlib", "matplotlib.lines", "sklearn.linear_model", "sklearn.metrics"):
        importlib.import_module(name)
    added = [n for n in dir(np) if not n.startswith("_") and not _has(scipy, n)]
    before = set(sys.modules)
    try:
        for name in added:
            setattr(scipy, name, getattr(np, name))
        sklearn.decomposition.RandomizedPCA = sklearn.decomposition.PCA
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources, and escapes such as '\d' in slalom
            package = importlib.import_module("slalom")
    except ImportError as error:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "slalom":  # no half-imported package stays behind
                del sys.modules[name]
        msg = (
            f"the slalom package cannot be imported ({error}); install slalom==1.0.0.dev11 and "
            "'setuptools<81' (the extra intae[slalom] does), or use intae.FSCLVM instead"
        )
        raise ImportError(msg) from error
    finally:
        for name in added:
            if hasattr(scipy, name):
                delattr(scipy, name)
        if hasattr(sklearn.decomposition, "RandomizedPCA"):
            del sklearn.decomposition.RandomizedPCA
    old = _OldSciPy("scipy")
    for name, module in list(sys.modules.items()):
        if name == "slalom" or name.startswith("slalom."):
            for alias, value in list(vars(module).items()):
                if value is scipy:
                    setattr(module, alias, old)
    return package


def _has(module: ModuleType, name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns about some names as they are looked up
        try:
            return hasattr(module, name)
        except Exception:
            return False

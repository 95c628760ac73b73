"""The fits of one step, kept on disk until it ends: a step that was killed goes on from them."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..base import FactorModel, name_of
from ..fits import load
from ..prepared import get_annotations, get_terms
from .training import fit

log = logging.getLogger(__name__)

LONG = 60.0  # seconds; a shorter fit is not worth a file


class KeptFits:
    """Fits models, and keeps in a folder what took long.

    A fit of a minute or more is kept when it has ended, and of a network also its state on the way
    (:class:`intae.autoencoder.checkpoint.Checkpoint`). The files bear the checksum of model and
    data, so that what is left of other ones does not count.

    Parameters
    ----------
    folder
        For the files of this step alone.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def fit(self, model: FactorModel, data: AnnData) -> FactorModel:
        """Return a model fitted to prepared data, or the same fit as it was kept.

        Parameters
        ----------
        model
            Unfitted.
        data
            Prepared data.
        """
        path = self.folder / f"{checksum(model, data)}.h5"
        if path.exists():
            log.info("this fit had ended before the step was killed: %s", path)
            return load(path)
        fit(model, data, path.with_suffix(".pt"))
        if model.seconds_ >= LONG:
            try:
                model.save(path)
            except OSError as error:
                log.warning("%s: cannot be written (%s); the step goes on", path, error.strerror)
        return model

    def remove(self) -> None:
        """Remove the folder: the step has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)


def checksum(model: FactorModel, data: AnnData) -> str:
    """Return a checksum of all that a fit depends on: class, parameters and prepared data."""
    said = [
        name_of(type(model)), model.revision, model.get_params(), list(data.obs_names),
        list(data.var_names), list(get_terms(data)),
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(said, default=str).encode())
    X = data.X
    arrays = (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,)
    of_cells = [pd.util.hash_pandas_object(column, index=False) for _, column in data.obs.items()]
    for part in (*arrays, get_annotations(data), *of_cells):
        digest.update(np.ascontiguousarray(part).data.cast("B"))
    return digest.hexdigest()[:32]

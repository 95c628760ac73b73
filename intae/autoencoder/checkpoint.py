"""The state of a network's training on disk: a fit that was killed goes on from it.

torch is imported only where a file is read or written.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata import AnnData

from ..base import FactorModel, name_of
from ..io import remove_file, whole_file
from ..prepared import get_annotations, get_terms
from .data import Cells

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two writes, which take a fraction of one


class Checkpoint:
    """The state of a training in a file, and the clock of the fit that it belongs to.

    Parameters
    ----------
    path
        The file; None keeps nothing, and only the clock runs.

    Attributes
    ----------
    resumed
        How many times the fit was killed and went on from the file.
    """

    def __init__(self, path: str | Path | None):
        self.path = None if path is None else Path(path)
        self.resumed = 0
        self._clock = self._written = time.perf_counter()
        self._identity = ""

    def seconds(self) -> float:
        """Return the seconds of the fit, its earlier parts included; what was lost is left out."""
        return time.perf_counter() - self._clock

    def belong_to(
        self, model: FactorModel, adata: AnnData, cells: Cells, device: torch.device
    ) -> None:
        """Tell for which fit the file counts: that of this model, data and kind of machine."""
        if self.path is None:
            return
        import torch

        gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
        said = [
            name_of(type(model)), model.revision, model.get_params(), torch.__version__,
            torch.backends.cpu.get_cpu_capability(), gpu, list(adata.obs_names),
            list(adata.var_names), list(get_terms(adata)),
        ]  # fmt: skip
        digest = hashlib.sha256(json.dumps(said, default=str).encode())
        # The moments stand for the cells: reading them all once more would take as long.
        for part in (cells.mean, cells.covariance, cells.design, get_annotations(adata)):
            digest.update(np.ascontiguousarray(part, dtype=float).tobytes())
        self._identity = digest.hexdigest()

    def read(self) -> dict[str, Any] | None:
        """Return the state to go on from, and set the clock to its time; None where there is none.

        A file of another fit, or a broken one, is ignored.
        """
        if self.path is None or not self.path.exists():
            return None
        import torch

        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            if kept["identity"] != self._identity:
                log.info("%s: is of another fit; starting anew", self.path)
                return None
            state, seconds, resumed = kept["state"], kept["seconds"], kept["resumed"] + 1
        except Exception as error:  # whatever torch finds wrong with the file
            log.warning("%s: cannot be read (%s); starting anew", self.path, error)
            return None
        self.resumed, self._written = resumed, time.perf_counter()
        self._clock = self._written - seconds
        log.info("going on after epoch %d and %.1f s, from %s", state["epoch"], seconds, self.path)
        return state

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Write a state if a minute has passed; a full disk is told of and ends no fit.

        Parameters
        ----------
        state
            Makes it: tensors, numbers, text, and lists and dicts of these; its `epoch` is done.
        """
        if self.path is None or time.perf_counter() - self._written < EVERY:
            return
        import torch

        kept = {
            "identity": self._identity, "seconds": self.seconds(), "resumed": self.resumed,
            "state": state(),
        }  # fmt: skip
        file = io.BytesIO()
        torch.save(kept, file)
        try:
            with whole_file(self.path) as part:
                part.write_bytes(file.getbuffer())
        except OSError as error:
            log.warning("%s: cannot be written (%s); the fit goes on", self.path, error.strerror)
        self._written = time.perf_counter()

    def remove(self) -> None:
        """Remove the file: the fit has ended."""
        if self.path is not None:
            remove_file(self.path)

"""The cells of a step: in memory, or in chunks where they are many: from their file, or on Dask."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from anndata import AnnData

from ..errors import ConfigError
from ..io import is_large, read_h5ad

log = logging.getLogger(__name__)

LOCAL = "local"  # instead of an address: processes of the step's own


@contextmanager
def cells_of(
    path: str | Path, *, chunked: bool | None = None, dask: str | None = None, workers: int = 1
) -> Iterator[AnnData]:
    """Open an h5ad in the way that fits its size, for the time of the block.

    Parameters
    ----------
    path
        The file, which is not changed.
    chunked
        Whether to read it in chunks; by default if it is large (:func:`intae.io.is_large`).
    dask
        Where chunks are worked on: the address of a scheduler of Dask, or `local` for processes on
        this machine; by default in this process.
    workers
        Number of local processes, of one thread each.

    Yields
    ------
    All cells in memory; or X in the file; or X as an array of Dask.

    Raises
    ------
    FileNotFoundError, IntaeError
        If the file cannot be read, Dask is not installed or its scheduler does not answer.
    """
    if not (is_large(path) if chunked is None else chunked):
        yield read_h5ad(path)
        return
    backed = read_h5ad(path, backed="r")
    try:
        if dask is None:
            yield backed
            return
        with _client(dask, workers) as client:
            log.info("chunks of cells go to Dask at %s", client.scheduler.address)
            yield _on_dask(backed, path)
    finally:
        backed.file.close()


@contextmanager
def _client(dask: str, workers: int) -> Iterator:
    """Connect to a scheduler of Dask, or start processes for the time of the block."""
    try:
        from distributed import Client
        from distributed.deploy.subprocess import SubprocessCluster
    except ImportError:
        msg = 'config, dask: Dask is not installed; pip install "intae[dask]", or leave dask: out'
        raise ConfigError(msg) from None
    logging.getLogger("distributed").setLevel(logging.WARNING)  # each connection is a line else
    with ExitStack() as stack:
        if dask == LOCAL:
            # not LocalCluster, whose processes would run the step's script again
            asked = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
            dask = stack.enter_context(SubprocessCluster(**asked)).scheduler_address
        try:
            client = Client(dask, timeout="30s")
        except (OSError, ValueError) as error:  # no scheduler is there, or it is no address
            msg = f"config, dask: no scheduler of Dask answers at {dask!r} ({error}); start one, or"
            raise ConfigError(f"{msg} say dask: {LOCAL}") from None
        yield stack.enter_context(client)


def _on_dask(backed: AnnData, path: str | Path) -> AnnData:
    """Return the data with X as an array of Dask, which workers read from the same path."""
    import h5py
    from anndata.experimental import read_elem_lazy

    with h5py.File(Path(path).resolve()) as file:
        X = read_elem_lazy(file["X"])
    return AnnData(
        X, obs=backed.obs, var=backed.var, obsm=dict(backed.obsm), varm=dict(backed.varm),
        uns=dict(backed.uns),
    )  # fmt: skip

"""Files: h5ad, and whatever appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import IntaeError

if TYPE_CHECKING:
    from anndata import AnnData


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, moved there only when the block has ended well.

    What a killed process left of the same file is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_parts(path)
    handle, part = tempfile.mkstemp(dir=path.parent, **_around(path))
    os.close(handle)
    try:
        yield Path(part)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)  # mkstemp makes it private
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and what a killed process left of it."""
    path.unlink(missing_ok=True)
    _remove_parts(path)


def _around(path: Path) -> dict[str, str]:
    """Return how the name of a temporary file of `path` begins and ends."""
    return {"prefix": f".{path.name}.", "suffix": f".part{path.suffix}"}


def _remove_parts(path: Path) -> None:
    name = "????????".join(map(escape, _around(path).values()))
    for left in path.parent.glob(name):
        left.unlink(missing_ok=True)


@contextmanager
def reading(path: str | Path, kind: str) -> Iterator[None]:
    """Tell of a broken file in one sentence: each library has errors of its own for one.

    Parameters
    ----------
    path
        The file that the block reads.
    kind
        What it should be, such as `csv`, for the message.

    Raises
    ------
    IntaeError
        For any error of the block but those that say already what is wrong.
    """
    try:
        yield
    except (IntaeError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if str(path) in reason:
            raise IntaeError(reason) from error
        msg = f"{path}: cannot be read as {kind}; is it cut off or something else? ({reason})"
        raise IntaeError(msg) from error


def write_h5ad(adata: AnnData, path: str | Path) -> None:
    """Write an AnnData, whole or not at all."""
    with whole_file(path) as part:
        adata.write_h5ad(part, compression="gzip")


def read_h5ad(path: str | Path, **kwargs: Any) -> AnnData:
    """Read an AnnData, with a plain sentence where the file is broken or is something else.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IntaeError
        If the file cannot be read as h5ad.
    """
    if not Path(path).exists():
        msg = f"{path}: there is no such file"
        raise FileNotFoundError(msg)
    import anndata  # not at the top: who only writes a table need not wait for it

    with reading(path, "an h5ad file"):
        return anndata.read_h5ad(path, **kwargs)

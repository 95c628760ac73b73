"""The mirror: a folder that stands in for the network."""

from __future__ import annotations

import os
from pathlib import Path


def find_in_mirror(name: str, mirror: str | Path | None) -> Path | None:
    """Return the file of this name in the mirror or below it, the first in order of paths.

    Raises
    ------
    NotADirectoryError
        If the mirror is given and is not a folder.
    """
    if not mirror:
        return None
    if not Path(mirror).is_dir():
        msg = f"mirror {str(mirror)!r}: is not a folder"
        raise NotADirectoryError(msg)
    for folder, subfolders, files in os.walk(mirror, followlinks=True):
        subfolders.sort()
        if name in files:
            return Path(folder) / name
    return None

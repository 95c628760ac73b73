"""The contents of input files, by checksum: they decide what runs again, not dates or places.

Snakemake compares dates, and checksums of small files only. So what reads a file is told the
checksum as a parameter, and runs again when it changes. Nothing heavy is imported, since the
Snakefile imports this.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

from ..io import whole_file
from ..sources.downloads import Download, find_in_mirror, sha256_of

# Beside what Snakemake knows of its outputs, in the folder that it runs in.
CACHE = Path(".snakemake/intae_checksums.json")
# A file that changed so shortly before it was read may change again within the clock's grain.
SETTLED = 2.0  # seconds


class Contents:
    """Checksums of files and folders, computed once for each state of a file.

    Parameters
    ----------
    kept
        Where they are kept from run to run: by size, dates and inode, so that a dry run is quick.
        The date of change is among them, which an edit with an older date changes too.
    """

    def __init__(self, kept: Path = CACHE):
        self.kept = kept
        self._known: dict[str, Any] | None = None

    def of(self, path: str | Path) -> str | None:
        """Return the checksum of a file or folder; of one that is gone the last known, or None."""
        path = Path(path).absolute()
        if path.is_dir():
            whole = hashlib.sha256()
            for file in sorted(p for p in path.rglob("*") if p.is_file()):
                whole.update(f"{file.relative_to(path).as_posix()} {self.of(file)}\n".encode())
            return whole.hexdigest()
        known = self._read().get(str(path))
        if not path.exists():
            return known["sha256"] if known else None
        stat = path.stat()
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        if known and known["state"] == state:
            return known["sha256"]
        settled = max(stat.st_mtime, stat.st_ctime) < time.time() - SETTLED
        found = sha256_of(path)
        self._read()[str(path)] = {"state": state if settled else None, "sha256": found}
        self._write()
        return found

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            self._known = {}
            with contextlib.suppress(OSError, ValueError):  # without it files are read again
                self._known = json.loads(self.kept.read_text(encoding="utf-8"))
        return self._known

    def _write(self) -> None:
        with contextlib.suppress(OSError), whole_file(self.kept) as part:
            part.write_text(json.dumps(self._known, indent=1), encoding="utf-8")


class Downloads:
    """What is known of downloads: what each fetch was told, and what it brought.

    Parameters
    ----------
    folder
        Where downloads are put (`resources:`).
    mirror
        The folder that is searched first, if any.
    contents
        Of all files.
    """

    def __init__(self, folder: str | Path, mirror: str | Path | None, contents: Contents):
        self.folder, self.mirror, self.contents = Path(folder), mirror, contents
        self._in_mirror = cache(self._look_in_mirror)

    def told(self, download: Download) -> Any:
        """Return what makes a fetch run again when it changes.

        Its pinned checksum; without one its addresses and, after it came from a mirror, the
        checksum of the mirror's file. Whether there is a mirror changes nothing.
        """
        if download.sha256:
            return download.sha256
        return [list(download.urls), self._told(download)]

    def content(self, download: Download) -> str | None:
        """Return the checksum of a download as it is, or as the next fetch will bring it."""
        path, there = self.folder / download.name, self._in_mirror(download)
        brought = self._brought(download).get("sha256")
        replaced = not download.sha256 and brought is not None and there not in (None, brought)
        if path.exists() and not replaced:
            return self.contents.of(path)
        return download.sha256 or there or self.contents.of(path)

    def record(self, name: str, told: Any, came_from: str) -> None:
        """Keep what a fetch was told and what it brought."""
        about = {"from": came_from, "sha256": sha256_of(self.folder / name), "told": told}
        with whole_file(self._record(name)) as part:
            part.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    def _told(self, download: Download) -> str | None:
        brought, there = self._brought(download), self._in_mirror(download)
        if brought and there in (None, brought["sha256"]):
            return brought["told"][1] if isinstance(brought["told"], list) else None
        return there

    def _look_in_mirror(self, download: Download) -> str | None:
        found = find_in_mirror(download.name, self.mirror)
        return self.contents.of(found) if found else None

    def _brought(self, download: Download) -> dict[str, Any]:
        try:
            return json.loads(self._record(download.name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _record(self, name: str) -> Path:
        return self.folder / ".fetched" / f"{name}.json"

"""Bring a file here: from a mirror folder if it is there, else from the network, checked."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import pooch
import requests

from .io import whole_file
from .mirror import find_in_mirror

log = logging.getLogger(__name__)

# NCBI answers 403 to the default name of Python's urllib.
USER_AGENT = "Mozilla/5.0 (compatible; intae/0.1)"
RETRIES = 3


class FetchError(OSError):
    """No address gave the file; the message says what was tried and the way out by hand."""


def fetch(
    name: str,
    urls: Sequence[str],
    path: str | Path,
    *,
    sha256: str | None = None,
    mirror: str | Path | None = None,
    timeout: float = 60,
) -> str:
    """Put a file at `path`, whole and checked, or raise.

    Parameters
    ----------
    name
        The file's name, by which the mirror is searched.
    urls
        Addresses, tried in order, each up to four times.
    path
        Where the file shall be.
    sha256
        Its checksum; None accepts what comes, and logs what it was.
    mirror
        A folder searched, through its subfolders, before the network is asked.
    timeout
        Seconds without a byte after which an address is given up.

    Returns
    -------
    Where the file came from.

    Raises
    ------
    FetchError
        If neither the mirror nor an address gave a file with this checksum.
    """
    path = Path(path)
    found = find_in_mirror(name, mirror)
    if found is not None:
        seen = _sha256(found)
        if sha256 is not None and seen != sha256:
            msg = f"{found}: has checksum {seen}, not {sha256}; it is not the file it should be"
            raise FetchError(msg)
        with whole_file(path) as part:
            shutil.copyfile(found, part)
        log.info("%s: from the mirror, %s", name, found)
        return str(found)
    failures = []
    for url in urls:
        try:
            _download(url, path, sha256, timeout)
        except (OSError, ValueError, requests.RequestException) as error:
            failures.append(f"  {url}\n    {' '.join(str(error).split())}")
            log.warning("%s: %s failed: %s", name, url, error)
            continue
        log.info("%s: from %s, sha256 %s", name, url, sha256 or f"{_sha256(path)} (not pinned)")
        return url
    tried = "\n".join(failures) if failures else "  no address is known for it"
    msg = (
        f"{name}: could not be fetched.\n{tried}\n"
        f"The way out: get the file yourself and put it at {path}, or in a folder named by "
        f"`mirror:` in the config or by the environment variable INTAE_MIRROR"
        f"{f' (now {mirror})' if mirror else ''}."
    )
    raise FetchError(msg)


def _download(url: str, path: Path, sha256: str | None, timeout: float) -> None:
    """Download to a temporary file, check, and move into place; retry what may pass."""
    with whole_file(path) as part:
        part.unlink()  # pooch takes a file that exists for one it need not fetch
        one = pooch.create(
            path=part.parent,
            base_url="",
            registry={part.name: f"sha256:{sha256}" if sha256 else None},
            urls={part.name: url},
            retry_if_failed=RETRIES,
        )
        headers = {"User-Agent": USER_AGENT}
        one.fetch(
            part.name,
            downloader=pooch.HTTPDownloader(progressbar=True, headers=headers, timeout=timeout),
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

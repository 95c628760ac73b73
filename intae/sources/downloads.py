"""Files from elsewhere: what to fetch, and fetching it from a mirror folder or the network.

A checksum is pinned where two unrelated sources state it; elsewhere the one that was seen is
logged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..io import whole_file

log = logging.getLogger(__name__)

USER_AGENT = "Mozilla/5.0 (compatible; intae/0.1)"  # NCBI answers 403 to that of Python's urllib
RETRIES = 3

# collections of MSigDB that a config can name, and the checksums of the releases that are known
MSIGDB = {"reactome": "c2.cp.reactome", "hallmark": "h.all"}
MSIGDB_SHA256 = {
    "c2.cp.reactome.v4.0.symbols.gmt": (
        "3168f672fca6eabf5d21d99181b87fd8c4304866acd0930712a61e9140c7b4ae"
    ),
    "c2.cp.reactome.v7.5.1.symbols.gmt": (
        "c08ed2adeec0af975e39fd75915301c02d03bc5e157a035796312a585ee1b6ab"
    ),
    "h.all.v7.5.1.symbols.gmt": (
        "de0fdee38af2611a284973f565df1a98bfa2385aecd7ba2ee3fe51208e753b40"
    ),
}
# MSigDB's own server asks for an account for its oldest releases; copies stand in repositories
MSIGDB_COPIES = {
    "c2.cp.reactome.v4.0.symbols.gmt": (
        "https://raw.githubusercontent.com/bioFAM/slalom/master/data/",
        "https://raw.githubusercontent.com/theislab/intercode/master/notebooks/",
    ),
}


@dataclass(frozen=True)
class Download:
    """A file to fetch.

    Attributes
    ----------
    name
        Its name on disk, by which a mirror is searched.
    urls
        Addresses, tried in order.
    sha256
        Its checksum, where one is known.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str | None = None


def geo(accession: str, name: str, sha256: str | None = None) -> Download:
    """Return a supplementary file of a series (GSE...) or sample (GSM...) of GEO."""
    kind = "series" if accession.startswith("GSE") else "samples"
    folder = f"https://ftp.ncbi.nlm.nih.gov/geo/{kind}/{accession[:-3]}nnn/{accession}/suppl"
    return Download(name, (f"{folder}/{name}",), sha256)


def msigdb(collection: str, release: str) -> Download:
    """Return the gene symbols of a collection of MSigDB, such as reactome of release 7.5.1."""
    name = f"{MSIGDB[collection]}.v{release}.symbols.gmt"
    own = f"https://data.broadinstitute.org/gsea-msigdb/msigdb/release/{release}/{name}"
    copies = tuple(f"{folder}{name}" for folder in MSIGDB_COPIES.get(name, ()))
    return Download(name, (*copies, own), MSIGDB_SHA256.get(name))


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
        Where the file is put.
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
        seen = sha256_of(found)
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
        except (OSError, ValueError) as error:  # pooch's for a wrong checksum is a ValueError
            failures.append(f"  {url}\n    {' '.join(str(error).split())}")
            log.warning("%s: %s failed: %s", name, url, error)
            continue
        log.info("%s: from %s, sha256 %s", name, url, sha256 or f"{sha256_of(path)} (not pinned)")
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
    import pooch

    # pooch's own temporary files lie here, so that those of a killed process are found again
    folder = path.with_name(f".{path.name}.download")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        one = pooch.create(
            path=folder,
            base_url="",
            registry={path.name: f"sha256:{sha256}" if sha256 else None},
            urls={path.name: url},
            retry_if_failed=RETRIES,
        )
        headers = {"User-Agent": USER_AGENT}
        one.fetch(
            path.name,
            downloader=pooch.HTTPDownloader(progressbar=True, headers=headers, timeout=timeout),
        )
        os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

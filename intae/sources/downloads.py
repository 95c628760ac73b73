"""The mirror: a folder that stands in for the network.

The public files of the known data sets and gene sets: address, size and checksum.

A checksum is pinned where two unrelated sources state it; elsewhere the one seen at the download
is logged.

Bring a file here: from a mirror folder if it is there, else from the network, checked.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from ..io import whole_file

log = logging.getLogger(__name__)


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


GEO_SERIES = "https://ftp.ncbi.nlm.nih.gov/geo/series"
GEO_SAMPLES = "https://ftp.ncbi.nlm.nih.gov/geo/samples"


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


KANG17 = (
    Download(
        "GSE96583_RAW.tar",
        (f"{GEO_SERIES}/GSE96nnn/GSE96583/suppl/GSE96583_RAW.tar",),
        "e5d41a3248a813f99d68fd5c9eb9773de7f46a83680a67f4a02d683b8955fe80",
    ),
    Download(
        "GSE96583_batch2.genes.tsv.gz",
        (f"{GEO_SERIES}/GSE96nnn/GSE96583/suppl/GSE96583_batch2.genes.tsv.gz",),
        "93aa4e9b530ef9d6411ca129b416324c5cc1cc5a01a1fa6ed4f4a845480ed3ca",
    ),
    Download(
        "GSE96583_batch2.total.tsne.df.tsv.gz",
        (f"{GEO_SERIES}/GSE96nnn/GSE96583/suppl/GSE96583_batch2.total.tsne.df.tsv.gz",),
        "1d57e72e92ca8695250e88cc0f1c3fa8c0be1175d974f8b427c58f1274dc6c09",
    ),
)

MACOSKO15 = (
    Download(
        "GSE63472_P14Retina_merged_digital_expression.txt.gz",
        (
            f"{GEO_SERIES}/GSE63nnn/GSE63472/suppl/"
            "GSE63472_P14Retina_merged_digital_expression.txt.gz",
        ),
    ),
    Download(
        "retina_clusteridentities.txt",
        (
            "http://mccarrolllab.org/wp-content/uploads/2015/05/retina_clusteridentities.txt",
            "https://scrnaseq-public-datasets.s3.amazonaws.com/manual-data/macosko/"
            "retina_clusteridentities.txt",
        ),
        "b7224ab7d61632fd34ca700c83aab22b509e5149222bb0918f87e47c1310d9fe",
    ),
)

# sample of the annotation -> GEO sample; the fourth healthy control is from another series
COVID_SAMPLES = {
    "C51": "GSM4475048",
    "C52": "GSM4475049",
    "C100": "GSM4475050",
    "C141": "GSM4339769",
    "C142": "GSM4339770",
    "C143": "GSM4339771",
    "C144": "GSM4339772",
    "C145": "GSM4339773",
    "C146": "GSM4339774",
    "C148": "GSM4475051",
    "C149": "GSM4475052",
    "C152": "GSM4475053",
}

COVID_BALF = (
    *(
        Download(
            f"{gsm}_{sample}_filtered_feature_bc_matrix.h5",
            (
                f"{GEO_SAMPLES}/{gsm[:7]}nnn/{gsm}/suppl/"
                f"{gsm}_{sample}_filtered_feature_bc_matrix.h5",
            ),
        )
        for sample, gsm in COVID_SAMPLES.items()
    ),
    Download(
        "all.cell.annotation.meta.txt",
        (
            "https://raw.githubusercontent.com/zhangzlab/covid_balf/"
            "b52be1c50ef79e91bebac82451894942d23b43be/all.cell.annotation.meta.txt",
        ),
    ),
)

BUETTNER15 = (
    Download(
        "Buettneretal.csv.gz",
        ("https://raw.githubusercontent.com/bioFAM/slalom/master/data/Buettneretal.csv.gz",),
    ),
)

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


def msigdb(collection: str, release: str) -> Download:
    """Return the gene symbols of a collection of MSigDB, such as reactome of release 7.5.1."""
    name = f"{MSIGDB[collection]}.v{release}.symbols.gmt"
    own = f"https://data.broadinstitute.org/gsea-msigdb/msigdb/release/{release}/{name}"
    copies = tuple(f"{folder}{name}" for folder in MSIGDB_COPIES.get(name, ()))
    return Download(name, (*copies, own), MSIGDB_SHA256.get(name))


# known source -> the files it needs, in the order its loader takes them
SOURCES: dict[str, tuple[Download, ...]] = {
    "kang17": KANG17,
    "macosko15": MACOSKO15,
    "covid_balf": COVID_BALF,
    "buettner15": BUETTNER15,
    "simulated": (),
    "file": (),
}


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

"""Bring one file here, from the mirror or the network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.sources.downloads import fetch

    download = snakemake.params.download
    fetch(
        download["name"],
        download["urls"],
        snakemake.output[0],
        sha256=download["sha256"],
        mirror=snakemake.params.mirror,
    )

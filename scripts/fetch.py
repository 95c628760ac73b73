"""Bring one file here, from the mirror or the network."""

from _step import step

with step(snakemake):
    from intae.sources.downloads import fetch

    download = snakemake.params.download
    fetch(
        download["name"],
        download["urls"],
        snakemake.output[0],
        sha256=download["sha256"],
        mirror=snakemake.params.mirror,
    )

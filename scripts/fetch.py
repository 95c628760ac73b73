"""Bring one file here, from the mirror or the network."""

from _step import step

with step(snakemake):
    from pathlib import Path

    from intae.benchmark.contents import Contents, Downloads
    from intae.sources.downloads import fetch

    told, path = snakemake.params, Path(snakemake.output[0])
    download, mirror = told.download, told.mirror
    came_from = fetch(
        download["name"], download["urls"], path, sha256=download["sha256"], mirror=mirror
    )
    Downloads(path.parent, mirror, Contents()).record(path.name, told.content, came_from)

"""Normalise, and filter to annotated highly variable genes and the terms they fill."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.gene_sets import merge_gene_sets, read_gene_sets
    from intae.io import read_h5ad, write_h5ad
    from intae.preparation import prepare
    from intae.prepared import check_prepared

    loaded = read_h5ad(snakemake.input.loaded)
    entry = snakemake.params.entry
    source = entry.pop("source")
    if source == "simulated":  # drawn as prepared data
        prepared = loaded
        check_prepared(prepared)
    else:
        files = zip(snakemake.input.gene_sets, snakemake.params.prefixes, strict=True)
        gene_sets = merge_gene_sets(
            read_gene_sets(file, remove_prefix=prefix) for file, prefix in files
        )
        scale = loaded.uns["scale"]
        entry["normalize"] &= scale == "counts"
        entry["log1p"] &= scale != "log"
        prepared = prepare(loaded, gene_sets, **entry)
    write_h5ad(prepared, snakemake.output[0])

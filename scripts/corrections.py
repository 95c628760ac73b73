"""List the genes that every fit added to gene sets and removed from them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.metrics.terms import corrected_genes, label

    tables = [label(corrected_genes(f), f) for f in read_finished_fits(snakemake.input.fits)]
    write_table(stack(tables, "corrections"), snakemake.output[0])

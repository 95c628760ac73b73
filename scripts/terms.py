"""List the terms of every fit, with their relevance and the genes added and removed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.metrics.terms import terms_of

    tables = [terms_of(fit) for fit in read_finished_fits(snakemake.input.fits)]
    write_table(stack(tables, "terms"), snakemake.output[0])

"""Score how well each term of each fit tells each cell type and condition from the rest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import loadings, read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.metrics.separation import separation_table
    from intae.metrics.terms import label

    tables = []
    for fit in read_finished_fits(snakemake.input.fits):
        labels = fit.obs[[name for name in ("condition", "cell_type") if name in fit.obs]]
        tables.append(label(separation_table(loadings(fit), labels), fit))
    write_table(stack(tables, "separation"), snakemake.output[0])

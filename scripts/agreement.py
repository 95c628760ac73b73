"""Correlate loadings between methods, and between seeds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import read_finished_fits
    from intae.benchmark.tables import write_table
    from intae.metrics.agreement import correlation_table, seed_correlations

    fits = read_finished_fits(snakemake.input.fits)
    first = {}  # of each method the first seed
    for fit in fits:
        first.setdefault(fit.uns["fit"]["method"], fit)
    correlation = correlation_table(first, snakemake.params.reference)
    tables = {"correlation": correlation, "seeds": seed_correlations(fits)}
    for name, table in tables.items():
        table.insert(0, "dataset", snakemake.wildcards.dataset)
        write_table(table, snakemake.output[name])

"""Correlate loadings between methods, and between the seeds of each."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.evaluate.agreement import correlation_table, seed_stability
    from intae.files import read_finished_fits, write_table

    by_method = {}
    for fit in read_finished_fits(snakemake.input.fits):
        by_method.setdefault(fit.uns["fit"]["method"], []).append(fit)

    first = {method: several[0] for method, several in by_method.items()}
    correlation = correlation_table(first, snakemake.params.reference)
    correlation.insert(0, "dataset", snakemake.wildcards.dataset)
    write_table(correlation, snakemake.output.correlation)

    parts = []
    for method, several in by_method.items():
        part = seed_stability(several)
        part.insert(0, "dataset", snakemake.wildcards.dataset)
        part.insert(1, "method", method)
        parts.append(part)
    write_table(pd.concat(parts), snakemake.output.stability)

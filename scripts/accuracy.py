"""Score how well each term of each fit separates the condition."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import logging

    import pandas as pd

    from intae.base import limit_threads
    from intae.benchmark.fits import loadings, read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.metrics.separation import term_accuracy
    from intae.metrics.terms import label

    tables = []
    for fit in read_finished_fits(snakemake.input.fits):
        logging.info("%(method)s, seed %(seed)s", fit.uns["fit"])
        with limit_threads(snakemake.threads):
            table = term_accuracy(loadings(fit), fit.obs["condition"], fit.obs.get("donor"))
        table.insert(1, "label", "condition")
        tables.append(label(table, fit))
    tables += [pd.read_csv(path) for path in snakemake.input.unseen]
    write_table(stack(tables, "accuracy"), snakemake.output[0])

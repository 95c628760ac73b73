"""Compare every fit of simulated data with the truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from functools import partial

    from intae.benchmark.fits import read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.io import read_h5ad
    from intae.metrics.terms import label
    from intae.metrics.truth import false_positives, recovery, recovery_curves

    truth = read_h5ad(snakemake.input.truth)
    fits = read_finished_fits(snakemake.input.fits)
    calling = {name: snakemake.params[name] for name in ("share", "fdr")}
    tables = {
        "recovery": recovery,
        "recovery_curves": recovery_curves,
        "false_positives": partial(false_positives, **calling),
    }
    for name, compare in tables.items():
        parts = [label(compare(fit, truth), fit) for fit in fits]
        write_table(stack(parts, name), snakemake.output[name])

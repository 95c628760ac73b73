"""Summarise how far every two fits agree, of two methods or of two seeds of one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import read_finished_fits
    from intae.benchmark.tables import write_table
    from intae.metrics.agreement import agreement_table

    fits = read_finished_fits(snakemake.input.fits)
    agreement = agreement_table(fits, snakemake.params.n_terms)
    agreement.insert(0, "dataset", snakemake.wildcards.dataset)
    write_table(agreement, snakemake.output[0])

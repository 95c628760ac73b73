"""Summarise how far every two methods agree."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    from intae.evaluate.agreement import agreement_table
    from intae.files import read_finished_fits, write_table

    first = {}  # of each method the first seed
    for fit in read_finished_fits(snakemake.input.fits):
        first.setdefault(fit.uns["fit"]["method"], fit)
    agreement = agreement_table(first, snakemake.params.n_terms)
    agreement.insert(0, "dataset", snakemake.wildcards.dataset)
    write_table(agreement, snakemake.output[0])

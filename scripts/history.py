"""List how the training of every autoencoder went."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    from intae.files import read_finished_fits
    from intae.metrics.terms import history_of
    from intae.tables import stack, write_table

    tables = [history_of(fit) for fit in read_finished_fits(snakemake.input.fits)]
    write_table(stack(tables, "history"), snakemake.output[0])

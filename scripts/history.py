"""List how the training of every autoencoder went."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.evaluate.tables import history_of
    from intae.files import read_finished_fits, write_table

    tables = [history_of(fit) for fit in read_finished_fits(snakemake.input.fits)]
    write_table(pd.concat([t for t in tables if len(t)] or tables), snakemake.output[0])

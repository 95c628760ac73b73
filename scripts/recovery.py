"""Score every fit of simulated data against the truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.evaluate.recovery import recovery
    from intae.evaluate.tables import label
    from intae.files import read_finished_fits, read_h5ad, write_table

    truth = read_h5ad(snakemake.input.truth)
    fits = read_finished_fits(snakemake.input.fits)
    write_table(pd.concat([label(recovery(fit, truth), fit) for fit in fits]), snakemake.output[0])

"""List the best term and the best unannotated factor of each fit."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.tables import write_table
    from intae.metrics.separation import dense_table

    table = dense_table(pd.read_csv(snakemake.input[0]), snakemake.params.methods)
    write_table(table, snakemake.output[0])

"""List what every fit cost, and the machine it ran on."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.fits import read_fit
    from intae.benchmark.tables import write_table
    from intae.metrics.terms import hosts, runtime_row

    fits = [read_fit(path) for path in snakemake.input.fits]
    write_table(pd.DataFrame([runtime_row(fit) for fit in fits]), snakemake.output.table)
    write_table(hosts(fits), snakemake.output.host)

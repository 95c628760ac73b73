"""Fit one method to a random part of a data set, for what it costs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.fits import about_fit
    from intae.benchmark.registry import train
    from intae.benchmark.tables import write_table
    from intae.metrics.cost import SCALING_COLUMNS, read_part, scaling_row

    params, wildcards, rows = snakemake.params, snakemake.wildcards, []
    part = read_part(snakemake.input[0], int(wildcards.n_cells), params.draw)
    if part is not None:
        model, about = train(
            part, params.model, params.params, seed=params.seed, threads=snakemake.threads
        )
        about |= {"dataset": wildcards.dataset, "method": wildcards.method}
        rows.append(scaling_row(about_fit(model, about)))
    write_table(pd.DataFrame(rows, columns=list(SCALING_COLUMNS)), snakemake.output[0])

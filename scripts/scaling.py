"""Join what fits to parts and to all of a data set cost, and fit lines to it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.fits import read_fit
    from intae.benchmark.tables import write_table
    from intae.metrics.cost import scaling_row, slopes

    parts = [pd.read_csv(path) for path in snakemake.input.parts]
    whole = [scaling_row(read_fit(path).uns["fit"]) for path in snakemake.input.fits]
    table = pd.concat([*(part for part in parts if len(part)), pd.DataFrame(whole)])
    table = table.sort_values(["method", "n_cells", "seed"], kind="stable")
    write_table(table, snakemake.output.table)
    lines = slopes(table)
    lines.insert(0, "dataset", snakemake.wildcards.dataset)
    write_table(lines, snakemake.output.slopes)

"""Fit one method without a fold of the donors, and score it on their cells; fold after fold."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.base import limit_threads
    from intae.benchmark.registry import make_model
    from intae.benchmark.tables import write_table
    from intae.io import read_h5ad
    from intae.metrics.variance import unseen_cells

    prepared, params = read_h5ad(snakemake.input[0]), snakemake.params
    dataset, method, seed = (snakemake.wildcards[key] for key in ("dataset", "method", "seed"))

    def make():
        """Make the method's model anew."""
        return make_model(params.model, params.params, seed=int(seed), threads=snakemake.threads)

    with limit_threads(snakemake.threads):
        tables = unseen_cells(prepared, make, params.folds)
    tables.accuracy.insert(1, "label", "condition")
    for name, table in tables._asdict().items():
        for position, value in enumerate((dataset, method, seed)):
            table.insert(position, ("dataset", "method", "seed")[position], value)
        write_table(table, snakemake.output[name])

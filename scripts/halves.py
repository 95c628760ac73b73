"""Fit one method to halves of the cells, and of the donors, and compare what they say."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.registry import make_model
    from intae.benchmark.tables import write_table
    from intae.io import read_h5ad
    from intae.metrics.agreement import between_halves

    prepared, params = read_h5ad(snakemake.input[0]), snakemake.params

    def make():
        """Make the method's model anew."""
        return make_model(params.model, params.params, seed=params.seed, threads=snakemake.threads)

    kinds = [False, True] if "donor" in prepared.obs else [False]
    tables = [between_halves(prepared, make, params.halves, donors=donors) for donors in kinds]
    write_table(pd.concat(tables), snakemake.output[0])

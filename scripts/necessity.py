"""Tell what each term of every exact autoencoder is needed for, and what stands in for it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae import Autoencoder
    from intae.base import limit_threads
    from intae.benchmark.fits import read_fit
    from intae.benchmark.tables import write_table
    from intae.io import read_h5ad
    from intae.metrics.optimality import needed_terms
    from intae.metrics.terms import label

    prepared, tables = read_h5ad(snakemake.input.prepared), []
    for fit, path in zip(snakemake.input.fits, snakemake.input.models, strict=True):
        model = Autoencoder.load(path)
        with limit_threads(snakemake.threads):
            tables.append(label(needed_terms(model, prepared), read_fit(fit)))
    write_table(pd.concat(tables), snakemake.output[0])

"""Fit one method to one data set from one seed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import write_fit
    from intae.benchmark.registry import train
    from intae.io import read_h5ad

    prepared = read_h5ad(snakemake.input[0])
    model, about = train(
        prepared,
        snakemake.params.model,
        snakemake.params.params,
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
    )
    model.save(snakemake.output.model)
    about |= {"dataset": snakemake.wildcards.dataset, "method": snakemake.wildcards.method}
    write_fit(model, prepared, snakemake.output.fit, about)

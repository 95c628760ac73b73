"""Evaluate equation 3, with the same penalties, for every autoencoder of a data set."""

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
    from intae.metrics.optimality import REFERENCE, Yardstick
    from intae.metrics.terms import label

    with limit_threads(snakemake.threads):
        yardstick = Yardstick(read_h5ad(snakemake.input.prepared), snakemake.params.lambdas)
        rows, encoders = [], []
        for fit, path in zip(snakemake.input.fits, snakemake.input.models, strict=True):
            fit, model = read_fit(fit), Autoencoder.load(path)
            rows.append(label(pd.DataFrame([yardstick.objective(model)]), fit))
            if model.solver != "exact":  # whose encoder is the best one
                encoders.append(label(yardstick.encoder_agreement(model), fit))
        reference = pd.DataFrame([yardstick.objective(yardstick.reference())])
    name = {"dataset": snakemake.wildcards.dataset, "method": REFERENCE, "seed": 0}
    rows.append(pd.DataFrame([name]).join(reference))
    blank = pd.DataFrame(columns=["dataset", "method", "seed", "term", "relevance", "r"])
    write_table(pd.concat(rows), snakemake.output.objective)
    write_table(pd.concat(encoders or [blank]), snakemake.output.encoders)

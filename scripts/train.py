"""Fit one method to one data set from one seed."""

from _step import step

with step(snakemake):
    from pathlib import Path

    from intae.benchmark.training import train
    from intae.fits import write_fit
    from intae.io import read_h5ad

    told, names = snakemake.params, snakemake.wildcards
    model, about = train(
        read_h5ad(snakemake.input[0]), told.model, told.params,
        seed=int(names.seed), threads=snakemake.threads,
        checkpoint=Path(snakemake.output.model).with_name("checkpoint.pt"),
    )  # fmt: skip
    about |= {"dataset": names.dataset, "method": names.method, "revision": told.revision}
    write_fit(model, snakemake.output.model, about)

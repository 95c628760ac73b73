"""Load one data set as the config declares it: raw data, with its labels."""

from _step import step

with step(snakemake):
    from intae.io import write_h5ad
    from intae.sources.loading import load_dataset

    loaded = load_dataset(snakemake.wildcards.dataset, snakemake.params.entry, snakemake.input)
    write_h5ad(loaded, snakemake.output[0])

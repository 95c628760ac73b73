"""Load one data set as the config declares it: raw data, with its labels."""

from _step import step

with step(snakemake):
    from intae.io import write_h5ad
    from intae.sources.loading import load_dataset

    name, entry = snakemake.wildcards.dataset, snakemake.params.entry
    # of the config, not of the parameters: other values to look at must not load again
    analysis = snakemake.config.get("analyses", {}).get(name)
    loaded = load_dataset(name, entry, snakemake.input, analysis)
    write_h5ad(loaded, snakemake.output[0])

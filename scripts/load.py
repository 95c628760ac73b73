"""Load one data set as the config declares it: raw data, with its labels."""

from _step import step

with step(snakemake):
    from intae.io import write_h5ad
    from intae.sources.loading import load_dataset, load_in_chunks, takes_chunks

    name, entry = snakemake.wildcards.dataset, snakemake.params.entry
    # of the config, not of the parameters: other values to look at must not load again
    analysis = snakemake.config.get("analyses", {}).get(name)
    if takes_chunks(entry, snakemake.input):
        load_in_chunks(name, entry, snakemake.input, analysis, snakemake.output[0])
    else:
        write_h5ad(load_dataset(name, entry, snakemake.input, analysis), snakemake.output[0])

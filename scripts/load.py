"""Load one data set as the config declares it: raw data, with its labels."""

from _step import step

with step(snakemake):
    from intae.io import write_h5ad
    from intae.sources.loading import load_dataset

    name, entry = snakemake.wildcards.dataset, snakemake.params.entry
    # of the config, not of the parameters: other pairs to look at must not load again
    pairs = snakemake.config.get("analyses", {}).get(name, {}).get("known_pairs") or ()
    loaded = load_dataset(name, entry, snakemake.input, pairs)
    write_h5ad(loaded, snakemake.output[0])

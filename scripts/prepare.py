"""Normalise, and filter to annotated highly variable genes and the terms they fill."""

from _step import step

with step(snakemake):
    from intae import prepare
    from intae.benchmark.plan import named_terms
    from intae.gene_sets import merge_gene_sets, read_gene_sets
    from intae.io import read_h5ad, write_h5ad
    from intae.prepared import check_prepared, tell_lost
    from intae.sources import AS_PREPARED

    prepared, entry = read_h5ad(snakemake.input.loaded), snakemake.params.entry
    if entry.pop("source") in AS_PREPARED:
        check_prepared(prepared)
    else:
        files = zip(snakemake.input.gene_sets, snakemake.params.prefixes, strict=True)
        gene_sets = merge_gene_sets(
            read_gene_sets(file, remove_prefix=prefix) for file, prefix in files
        )
        prepared = prepare(prepared, gene_sets, scale=prepared.uns["scale"], **entry)
        # of the config, not of the parameters: other terms to look at must not prepare again
        analyses = snakemake.config.get("analyses", {})
        tell_lost(prepared, named_terms(analyses.get(snakemake.wildcards.dataset, {})))
    write_h5ad(prepared, snakemake.output[0])

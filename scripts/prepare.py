"""Normalise, and filter to annotated highly variable genes and the terms they fill."""

from _step import step

with step(snakemake):
    from intae import prepare
    from intae.benchmark.plan import named_terms, terms_by_key
    from intae.gene_sets import merge_gene_sets, read_gene_sets
    from intae.io import read_h5ad, write_h5ad
    from intae.prepared import check_named, check_prepared, gene_set_table, tell_lost
    from intae.sources import AS_PREPARED

    entry = snakemake.params.entry
    out = snakemake.output[0] if entry.pop("chunked", False) else None
    prepared = read_h5ad(snakemake.input.loaded, backed="r" if out else None)
    if entry.pop("source") in AS_PREPARED:
        check_prepared(prepared)
    else:
        files = zip(snakemake.input.gene_sets, snakemake.params.prefixes, strict=True)
        gene_sets = merge_gene_sets(
            read_gene_sets(file, remove_prefix=prefix, genes=prepared.var_names)
            for file, prefix in files
        )
        prepared = prepare(prepared, gene_sets, scale=prepared.uns.get("scale"), out=out, **entry)
    # of the config, not of the parameters: other terms to look at must not prepare again
    dataset = snakemake.wildcards.dataset
    analysis = snakemake.config.get("analyses", {}).get(dataset) or {}
    table = gene_set_table(prepared).set_index("name")
    check_named(
        terms_by_key(analysis), table.index, f"config, analyses: {dataset}",
        table.loc[~table["kept"].astype(bool), "why"].to_dict(),
    )  # fmt: skip
    tell_lost(prepared, named_terms(analysis))
    if out is None:
        write_h5ad(prepared, snakemake.output[0])

# Download, load and prepare.
LOADING = ("source", "params", "filter", "subset", "labels", "normalize")
PREPARING = ("source", "n_hvgs", "min_genes", "normalize", "target_sum", "log1p")


def entry_of(dataset, keys):
    """Those keys of a data set's entry that change what a step does."""
    return {key: BENCHMARK.dataset(dataset)[key] for key in keys}


localrules:
    fetch,
    fetch_all,


rule fetch:
    output:
        f"{RESOURCES}/{{file}}",
    log:
        "logs/fetch/{file}.log",
    params:
        download=lambda wildcards: vars(BENCHMARK.downloads[wildcards.file]),
        mirror=BENCHMARK.mirror,
    retries: 2
    conda:
        "../envs/intae.yaml"
    script:
        "../scripts/fetch.py"


# Bring everything onto a login node, for compute nodes without a network.
rule fetch_all:
    input:
        [f"{RESOURCES}/{name}" for name in BENCHMARK.downloads],


rule load:
    input:
        lambda wildcards: BENCHMARK.dataset_files(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/loaded.h5ad",
    log:
        "logs/load/{dataset}.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/load.benchmark.tsv"
    params:
        entry=lambda wildcards: entry_of(wildcards.dataset, LOADING),
    threads: 1
    resources:
        mem_mb=16000,
        runtime=120,
    conda:
        "../envs/intae.yaml"
    script:
        "../scripts/load.py"


rule prepare:
    input:
        loaded=f"{RESULTS}/{{dataset}}/loaded.h5ad",
        gene_sets=lambda wildcards: BENCHMARK.gene_set_files(wildcards.dataset),
    output:
        PREPARED,
    log:
        "logs/prepare/{dataset}.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/prepare.benchmark.tsv"
    params:
        entry=lambda wildcards: entry_of(wildcards.dataset, PREPARING),
        prefixes=lambda wildcards: [
            BENCHMARK.config["gene_sets"][name].get("remove_prefix")
            for name in BENCHMARK.dataset(wildcards.dataset)["gene_sets"]
        ],
    threads: 1
    resources:
        mem_mb=16000,
        runtime=120,
    conda:
        "../envs/intae.yaml"
    script:
        "../scripts/prepare.py"

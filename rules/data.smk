# Download, load and prepare.
localrules:
    fetch,
    fetch_all,


rule fetch:
    output:
        f"{RESOURCES}/{{file}}",
    log:
        "logs/fetch/{file}.log",
    retries: 2
    conda:
        "../envs/intae.yaml"
    params:
        download=lambda wildcards: vars(BENCHMARK.downloads[wildcards.file]),
        mirror=BENCHMARK.mirror,
    script:
        "../scripts/fetch.py"


# Bring everything onto a login node, for compute nodes without a network.
rule fetch_all:
    input:
        [f"{RESOURCES}/{name}" for name in BENCHMARK.downloads],


rule load:
    input:
        files_of,
    output:
        f"{RESULTS}/{{dataset}}/loaded.h5ad",
    log:
        "logs/load/{dataset}.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/load.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        entry=lambda wildcards: entry_of(wildcards.dataset, LOADING),
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
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        entry=lambda wildcards: entry_of(wildcards.dataset, PREPARING),
        prefixes=lambda wildcards: [
            BENCHMARK.config["gene_sets"][name].get("remove_prefix")
            for name in BENCHMARK.dataset(wildcards.dataset)["gene_sets"]
        ],
    script:
        "../scripts/prepare.py"

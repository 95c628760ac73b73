# Download, load and prepare.
rule fetch:
    output:
        f"{RESOURCES}/{{file}}",
    log:
        f"{LOGS}/fetch/{{file}}.log",
    retries: 2
    localrule: True  # what needs the network never goes through a cluster's queue
    conda:
        "../envs/intae.yaml"
    params:
        content=lambda wildcards: JOBS.downloads.told(
            BENCHMARK.downloads[wildcards.file]
        ),
        # what depends on the output as well is no reason to fetch again: where a file comes from
        download=lambda wildcards, output: vars(BENCHMARK.downloads[wildcards.file]),
        mirror=lambda wildcards, output: BENCHMARK.mirror,
    script:
        "../scripts/fetch.py"


# Bring everything onto a login node, for compute nodes without a network.
rule fetch_all:
    input:
        [f"{RESOURCES}/{name}" for name in BENCHMARK.downloads],


rule load:
    input:
        lambda wildcards: by_content(JOBS.files_of(wildcards.dataset)),
    output:
        JOBS.loaded,
    log:
        f"{LOGS}/{{dataset}}/load.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/load.benchmark.tsv"
    wildcard_constraints:
        dataset=one_of(LOADED_LATE),
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        **asked("load"),
    params:
        entry=lambda wildcards: JOBS.loading(wildcards.dataset),
        contents=lambda wildcards: JOBS.contents(JOBS.files_of(wildcards.dataset)),
    script:
        "../scripts/load.py"


use rule load as load_small with:
    wildcard_constraints:
        dataset=one_of(LOADED_SOON),
    localrule: True


rule prepare:
    input:
        loaded=JOBS.loaded,
        gene_sets=lambda wildcards: by_content(
            BENCHMARK.gene_set_files(wildcards.dataset)
        ),
    output:
        JOBS.prepared,
    log:
        f"{LOGS}/{{dataset}}/prepare.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/prepare.benchmark.tsv"
    wildcard_constraints:
        dataset=one_of(LARGE),
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        **asked("prepare"),
    params:
        entry=lambda wildcards: JOBS.entry(wildcards.dataset, PREPARING),
        prefixes=lambda wildcards: JOBS.prefixes(wildcards.dataset),
        contents=lambda wildcards: JOBS.contents(
            BENCHMARK.gene_set_files(wildcards.dataset)
        ),
    script:
        "../scripts/prepare.py"


use rule prepare as prepare_small with:
    wildcard_constraints:
        dataset=one_of(SMALL),
    localrule: True

# Cells that a fit never saw: the fit repeated without a fold of the donors, fold after fold.
rule held_out:
    input:
        PREPARED,
    output:
        **{
            table: UNSEEN.replace("{table}", table)
            for table in ("accuracy", "choice", "reconstruction")
        },
    log:
        "logs/evaluate/{dataset}.{method}.seed{seed}.held_out.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/unseen/benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: lambda wildcards: BENCHMARK.method(wildcards.method)["threads"]
    resources:
        gpu=lambda wildcards: int(trains_a_network(wildcards.method)),
        mem_mb=lambda wildcards: BENCHMARK.method(wildcards.method)["mem_mb"],
        runtime=lambda wildcards: BENCHMARK.method(wildcards.method)["runtime"],
    params:
        model=lambda wildcards: BENCHMARK.method(wildcards.method)["model"],
        params=lambda wildcards: BENCHMARK.method(wildcards.method)["params"],
        folds=lambda wildcards: BENCHMARK.method(wildcards.method)["folds"],
    script:
        "../scripts/held_out.py"


rule dense_factors:
    input:
        f"{RESULTS}/{{dataset}}/tables/accuracy.csv",
    output:
        f"{RESULTS}/{{dataset}}/tables/dense_factors.csv",
    log:
        "logs/evaluate/{dataset}.dense_factors.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        methods=lambda wildcards: by_dense(wildcards.dataset),
    script:
        "../scripts/dense_factors.py"

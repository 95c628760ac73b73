# What a fit costs against the number of cells: fits to random parts of a data set.
# A process each, so that the peak of its memory is its own.
rule train_part:
    input:
        PREPARED,
    output:
        f"{RESULTS}/{{dataset}}/{{method}}/scaling/{{n_cells}}.csv",
    log:
        "logs/scaling/{dataset}.{method}.{n_cells}.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/{{method}}/scaling/{{n_cells}}.benchmark.tsv"
    wildcard_constraints:
        n_cells=r"\d+",
    conda:
        "../envs/intae.yaml"
    threads: lambda wildcards: BENCHMARK.method(wildcards.method)["threads"]
    resources:
        gpu=lambda wildcards: int(trains_a_network(wildcards.method)),
        mem_mb=lambda wildcards: BENCHMARK.method(wildcards.method)["mem_mb"],
        runtime=lambda wildcards: BENCHMARK.method(wildcards.method)["runtime"],
    params:
        model=lambda wildcards: BENCHMARK.method(wildcards.method)["model"],
        params=params_of_part,
        seed=lambda wildcards: BENCHMARK.method(wildcards.method)["seeds"][0],
        draw=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["scaling"]["seed"],
    script:
        "../scripts/train_part.py"


rule scaling:
    input:
        parts=lambda wildcards: parts_of(wildcards.dataset),
        fits=lambda wildcards: wholes_of(wildcards.dataset),
    output:
        table=f"{RESULTS}/{{dataset}}/tables/scaling.csv",
        slopes=f"{RESULTS}/{{dataset}}/tables/scaling_slopes.csv",
    log:
        "logs/evaluate/{dataset}.scaling.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    script:
        "../scripts/scaling.py"


FIGURES += per_dataset(f"{RESULTS}/figures/{{dataset}}/scaling.png", SCALED)


rule figure_scaling:
    input:
        table=f"{RESULTS}/{{dataset}}/tables/scaling.csv",
        slopes=f"{RESULTS}/{{dataset}}/tables/scaling_slopes.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/scaling.png",
            caption="../report/scaling.rst",
            category="2. Cost",
            labels={"figure": "against the number of cells, {dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/scaling.pdf",
    log:
        "logs/figures/{dataset}.scaling.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        scaling=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["scaling"],
        projected=lambda wildcards: may_be_projected(wildcards.dataset),
    script:
        "../scripts/figure_scaling.py"

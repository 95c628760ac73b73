# From fits to tidy tables: one part a data set, then all joined.
EVALUATION = (
    ("accuracy", labelled("condition")),
    ("correlation", BENCHMARK.datasets),
    ("correlation_seeds", BENCHMARK.datasets),
    ("agreement", BENCHMARK.datasets),
    ("corrections", BENCHMARK.datasets),
    ("terms", BENCHMARK.datasets),
    ("dense_factors", with_dense()),
    ("stability", BENCHMARK.datasets),
    ("recovery", simulated()),
    ("objective", with_autoencoders()),
    ("best_encoder", with_autoencoders()),
    ("necessity", with_exact()),
    ("ablation", with_ablations()),
    ("recovery_curves", simulated()),
    ("false_positives", simulated()),
    ("separation", labelled("condition", "cell_type")),
    ("history", BENCHMARK.datasets),
    ("scaling", SCALED),
    ("scaling_slopes", SCALED),
    ("sweep", SWEPT),
)
PARTS = {
    table: per_dataset(f"{RESULTS}/{{dataset}}/tables/{table}.csv", datasets)
    for table, datasets in EVALUATION
}
PARTS |= {
    "reconstruction": unseen_of("reconstruction", reconstructing()),
    "choice": unseen_of("choice", labelled("condition")),
}
TABLES = [f"{RESULTS}/tables/{table}.csv" for table in ("runtime", "host")] + [
    f"{RESULTS}/tables/{table}.csv" for table, parts in PARTS.items() if parts
]


rule accuracy:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
        unseen=lambda wildcards: unseen_of("accuracy", [wildcards.dataset]),
    output:
        f"{RESULTS}/{{dataset}}/tables/accuracy.csv",
    log:
        "logs/evaluate/{dataset}.accuracy.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/accuracy.benchmark.tsv"
    # the longest of the evaluation, and what most pages wait for
    priority: 10
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    script:
        "../scripts/accuracy.py"


rule agreement:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        correlation=f"{RESULTS}/{{dataset}}/tables/correlation.csv",
        seeds=f"{RESULTS}/{{dataset}}/tables/correlation_seeds.csv",
    log:
        "logs/evaluate/{dataset}.agreement.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/agreement.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        reference=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["reference"],
    script:
        "../scripts/agreement.py"


rule halves:
    input:
        PREPARED,
    output:
        f"{RESULTS}/{{dataset}}/{{method}}/halves.csv",
    log:
        "logs/evaluate/{dataset}.{method}.halves.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/{{method}}/halves.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: lambda wildcards: BENCHMARK.method(wildcards.method)["threads"]
    resources:
        mem_mb=lambda wildcards: BENCHMARK.method(wildcards.method)["mem_mb"],
        runtime=lambda wildcards: BENCHMARK.method(wildcards.method)["runtime"],
    params:
        model=lambda wildcards: BENCHMARK.method(wildcards.method)["model"],
        params=lambda wildcards: BENCHMARK.method(wildcards.method)["params"],
        halves=lambda wildcards: BENCHMARK.method(wildcards.method)["halves"],
        seed=lambda wildcards: BENCHMARK.method(wildcards.method)["seeds"][0],
    script:
        "../scripts/halves.py"


rule stability:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
        halves=lambda wildcards: [
            f"{RESULTS}/{wildcards.dataset}/{method}/halves.csv"
            for method in halved_methods(wildcards.dataset)
        ],
    output:
        f"{RESULTS}/{{dataset}}/tables/stability.csv",
    log:
        "logs/evaluate/{dataset}.stability.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/stability.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        halved=lambda wildcards: halved_methods(wildcards.dataset),
    script:
        "../scripts/stability.py"


rule terms:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/terms.csv",
    log:
        "logs/evaluate/{dataset}.terms.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    script:
        "../scripts/terms.py"


rule separation:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/separation.csv",
    log:
        "logs/evaluate/{dataset}.separation.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/separation.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    script:
        "../scripts/separation.py"


rule history:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/history.csv",
    log:
        "logs/evaluate/{dataset}.history.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    script:
        "../scripts/history.py"


rule runtime:
    input:
        fits=[
            fit
            for dataset in dict.fromkeys([*BENCHMARK.datasets, *simulated()])
            for fit in fits_of(dataset)
        ],
    output:
        table=report(
            f"{RESULTS}/tables/runtime.csv",
            caption="../report/runtime_table.rst",
            category="2. Cost",
            labels={"table": "runtime and memory"},
        ),
        host=report(
            f"{RESULTS}/tables/host.csv",
            caption="../report/host.rst",
            category="2. Cost",
            labels={"table": "the machine"},
        ),
    log:
        "logs/evaluate/runtime.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../scripts/runtime.py"


rule join:
    input:
        lambda wildcards: PARTS[wildcards.table],
    output:
        report(
            f"{RESULTS}/tables/{{table}}.csv",
            caption="../report/table.rst",
            category="7. Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/evaluate/{table}.log",
    wildcard_constraints:
        table="|".join(PARTS),
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../scripts/join.py"

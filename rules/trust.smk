# How far to trust the autoencoders: what a network buys, what each term is needed for, and the two
# ideas of the talk that do not work.
FIGURES += (
    per_dataset(f"{RESULTS}/figures/{{dataset}}/network.png", with_autoencoders())
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/necessity.png", with_exact())
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/ablation.png", with_ablations())
)
PUBLISHED = {"lambda0": 0.1, "lambda1": 0.93, "lambda2": 0.43, "lambda3": 0.57}


rule objective:
    input:
        prepared=PREPARED,
        fits=lambda wildcards: method_files(
            wildcards.dataset, of_model(wildcards.dataset, "Autoencoder"), FIT
        ),
        models=lambda wildcards: method_files(
            wildcards.dataset, of_model(wildcards.dataset, "Autoencoder"), MODEL
        ),
    output:
        objective=f"{RESULTS}/{{dataset}}/tables/objective.csv",
        encoders=f"{RESULTS}/{{dataset}}/tables/best_encoder.csv",
    log:
        "logs/evaluate/{dataset}.objective.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/objective.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        lambdas=PUBLISHED,
    script:
        "../scripts/objective.py"


rule necessity:
    input:
        prepared=PREPARED,
        fits=lambda wildcards: method_files(
            wildcards.dataset,
            of_model(wildcards.dataset, "Autoencoder", solvers=("exact",)),
            FIT,
        ),
        models=lambda wildcards: method_files(
            wildcards.dataset,
            of_model(wildcards.dataset, "Autoencoder", solvers=("exact",)),
            MODEL,
        ),
    output:
        f"{RESULTS}/{{dataset}}/tables/necessity.csv",
    log:
        "logs/evaluate/{dataset}.necessity.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/necessity.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    script:
        "../scripts/necessity.py"


rule ablation:
    input:
        unpack(seen_already),
        prepared=PREPARED,
        fits=lambda wildcards: method_files(
            wildcards.dataset, compared_with_ablations(wildcards.dataset), FIT
        ),
        models=lambda wildcards: method_files(
            wildcards.dataset, compared_with_ablations(wildcards.dataset), MODEL
        ),
    output:
        f"{RESULTS}/{{dataset}}/tables/ablation.csv",
    log:
        "logs/evaluate/{dataset}.ablation.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/ablation.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=16000,
        runtime=60,
    params:
        methods=lambda wildcards: compared_with_ablations(wildcards.dataset),
        chosen=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["terms"],
    script:
        "../scripts/ablation.py"


rule figure_network:
    input:
        objective=f"{RESULTS}/{{dataset}}/tables/objective.csv",
        encoders=f"{RESULTS}/{{dataset}}/tables/best_encoder.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/network.png",
            caption="../report/network.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "what a network buys"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/network.pdf",
    log:
        "logs/figures/{dataset}.network.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        lambdas=PUBLISHED,
    script:
        "../scripts/figure_network.py"


rule figure_necessity:
    input:
        f"{RESULTS}/{{dataset}}/tables/necessity.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/necessity.png",
            caption="../report/necessity.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "necessity and stand-ins"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/necessity.pdf",
    log:
        "logs/figures/{dataset}.necessity.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        n_terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["n_terms"],
    script:
        "../scripts/figure_necessity.py"


rule figure_ablation:
    input:
        f"{RESULTS}/{{dataset}}/tables/ablation.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/ablation.png",
            caption="../report/ablation.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "two ideas that do not work"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/ablation.pdf",
    log:
        "logs/figures/{dataset}.ablation.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        methods=lambda wildcards: {
            m: BENCHMARK.method(m) for m in compared_with_ablations(wildcards.dataset)
        },
        terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["terms"],
    script:
        "../scripts/figure_ablation.py"

# What is known of cells that a fit never saw, and what dense factors and seeds change.
FIGURES += (
    per_dataset(f"{RESULTS}/figures/{{dataset}}/metrics.png", labelled("condition"))
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/reconstruction.png", reconstructing())
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/dense_factors.png", with_dense())
)


rule figure_metrics:
    input:
        accuracy=f"{RESULTS}/{{dataset}}/tables/accuracy.csv",
        choice=lambda wildcards: unseen_of("choice", [wildcards.dataset]),
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/metrics.png",
            caption="../report/metrics.rst",
            category="3. Separation of conditions",
            subcategory="{dataset}",
            labels={"figure": "held-out donors, three measures"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/metrics.pdf",
    log:
        "logs/figures/{dataset}.metrics.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=SHOWN,
        folds=folds_said,
        donors=lambda wildcards: wildcards.dataset in labelled("donor"),
    script:
        "../scripts/figure_metrics.py"


rule figure_reconstruction:
    input:
        lambda wildcards: unseen_of("reconstruction", [wildcards.dataset]),
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/reconstruction.png",
            caption="../report/reconstruction.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "reconstruction of unseen cells"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/reconstruction.pdf",
    log:
        "logs/figures/{dataset}.reconstruction.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=SHOWN,
        without_sets=[m for m in SHOWN if not BENCHMARK.can(m, "knows_gene_sets")],
        folds=lambda wildcards: folds_said(wildcards, only="reconstructs"),
        donors=lambda wildcards: wildcards.dataset in labelled("donor"),
    script:
        "../scripts/figure_reconstruction.py"


rule figure_dense_factors:
    input:
        best=f"{RESULTS}/{{dataset}}/tables/dense_factors.csv",
        accuracy=f"{RESULTS}/{{dataset}}/tables/accuracy.csv",
        prepared=PREPARED,
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/dense_factors.png",
            caption="../report/dense_factors.rst",
            category="3. Separation of conditions",
            subcategory="{dataset}",
            labels={"figure": "dense factors, or the seed alone"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/dense_factors.pdf",
    log:
        "logs/figures/{dataset}.dense_factors.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        terms=analysis("terms"),
        families=lambda wildcards: told_families(wildcards.dataset),
    script:
        "../scripts/figure_dense_factors.py"

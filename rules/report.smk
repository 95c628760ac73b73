# Figures, each one script and one caption; `snakemake --report` binds them into one HTML file.
FIGURES = (
    [f"{RESULTS}/figures/cost.png"]
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/accuracy.png", labelled("condition"))
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/scatter.png", datasets_with(1))
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/terms.png", datasets_with(1))
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/correlation.png", datasets_with(2))
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/stability.png", repeated())
)


rule figure_cost:
    input:
        f"{RESULTS}/tables/runtime.csv",
    output:
        png=report(
            f"{RESULTS}/figures/cost.png",
            caption="../report/cost.rst",
            category="2. Cost",
            labels={"figure": "runtime and memory"},
        ),
        pdf=f"{RESULTS}/figures/cost.pdf",
    log:
        "logs/figures/cost.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=SHOWN,
        draw_of=draw_of(),
    script:
        "../scripts/figure_cost.py"


rule figure_accuracy:
    input:
        accuracy=f"{RESULTS}/{{dataset}}/tables/accuracy.csv",
        prepared=PREPARED,
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/accuracy.png",
            caption="../report/accuracy.rst",
            category="3. Separation of conditions",
            subcategory="{dataset}",
            labels={"figure": "accuracy of single terms"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/accuracy.pdf",
    log:
        "logs/figures/{dataset}.accuracy.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        roles=ROLES,
        permuted=permuted_methods,
        controls=control_labels,
        folds=folds_said,
        scores=plain_scores,
        terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["terms"],
    script:
        "../scripts/figure_accuracy.py"


rule figure_scatter:
    input:
        fits=first_fits,
        prepared=PREPARED,
        separation=lambda wildcards: per_dataset(
            f"{RESULTS}/{{dataset}}/tables/separation.csv",
            {wildcards.dataset} & {*labelled("condition", "cell_type")},
        ),
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/scatter.png",
            caption="../report/scatter.rst",
            category="3. Separation of conditions",
            subcategory="{dataset}",
            labels={"figure": "loadings of two terms"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/scatter.pdf",
    log:
        "logs/figures/{dataset}.scatter.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        labels=LABELS,
        terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset).get("scatter", []),
        conditions=analysis("conditions"),
    script:
        "../scripts/figure_scatter.py"


rule figure_terms:
    input:
        f"{RESULTS}/{{dataset}}/tables/terms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/terms.png",
            caption="../report/terms.rst",
            category="4. Terms",
            subcategory="{dataset}",
            labels={"figure": "most relevant terms"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/terms.pdf",
    log:
        "logs/figures/{dataset}.terms.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        models=MODELS,
        methods=in_role("model"),
        expected=expected,
        n_terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["n_terms"],
    script:
        "../scripts/figure_terms.py"


rule figure_correlation:
    input:
        correlation=f"{RESULTS}/{{dataset}}/tables/correlation.csv",
        seeds=f"{RESULTS}/{{dataset}}/tables/correlation_seeds.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/correlation.png",
            caption="../report/correlation.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "agreement term by term, one method with each"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/correlation.pdf",
    log:
        "logs/figures/{dataset}.correlation.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        methods=in_role("model", "control"),
        expected=expected,
        reference=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["reference"],
        n_terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["n_terms"],
    script:
        "../scripts/figure_correlation.py"


rule figure_stability:
    input:
        f"{RESULTS}/{{dataset}}/tables/stability.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/stability.png",
            caption="../report/stability.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "stability: other seeds, cells, donors"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/stability.pdf",
    log:
        "logs/figures/{dataset}.stability.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        roles=ROLES,
        permuted=permuted_methods,
    script:
        "../scripts/figure_stability.py"

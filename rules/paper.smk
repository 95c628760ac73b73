# The paper's claims held against this run's tables, Table 1, and the page of both.
CLAIMS_DATA = os.path.relpath(f"{workflow.basedir}/report/paper.yaml")
PAGE_TEMPLATE = os.path.relpath(f"{workflow.basedir}/report/paper.html.jinja")


rule claims:
    input:
        tables=lambda wildcards: among(
            TABLES,
            ("runtime", "host", "accuracy", "separation", "correlation", "terms")
            + ("correlation_seeds",)
            + ("history", "stability", "recovery", "false_positives")
            + ("scaling_slopes",),
        ),
        paper=CLAIMS_DATA,
    output:
        claims=report(
            f"{RESULTS}/tables/claims.csv",
            caption="../report/claims.rst",
            category="1. Paper against this run",
            labels={"item": "claims (table)"},
        ),
        table1=report(
            f"{RESULTS}/tables/table1.csv",
            caption="../report/table1.rst",
            category="1. Paper against this run",
            labels={"item": "Table 1 (table)"},
        ),
    log:
        "logs/evaluate/claims.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        run=run_facts(),
    script:
        "../scripts/claims.py"


rule paper_page:
    input:
        claims=f"{RESULTS}/tables/claims.csv",
        table1=f"{RESULTS}/tables/table1.csv",
        paper=CLAIMS_DATA,
        template=PAGE_TEMPLATE,
    output:
        report(
            f"{RESULTS}/paper.html",
            caption="../report/paper.rst",
            category="1. Paper against this run",
            labels={"item": "all claims, and Table 1 (page)"},
        ),
    log:
        "logs/figures/paper_page.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
    script:
        "../scripts/paper_page.py"


TABLES += [f"{RESULTS}/tables/{table}.csv" for table in ("claims", "table1")]
FIGURES.append(f"{RESULTS}/paper.html")

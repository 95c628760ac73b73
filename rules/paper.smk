# The paper's claims held against this run's tables, Table 1, and the page of both.
rule claims:
    input:
        tables=[
            f"{RESULTS}/tables/{table}.csv"
            for table in ("runtime", "host", *CLAIMED)
            if f"{RESULTS}/tables/{table}.csv" in TABLES
        ],
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
        page=report(
            f"{RESULTS}/paper.html",
            caption="../report/paper.rst",
            category="1. Paper against this run",
            labels={"item": "all claims, and Table 1 (page)"},
        ),
    log:
        f"{LOGS}/claims.log",
    localrule: True  # seconds
    conda:
        "../envs/intae.yaml"
    threads: 1
    params:
        run=JOBS.run_facts(),
        labels=JOBS.labels(),
    script:
        "../scripts/claims.py"


TABLES += [f"{RESULTS}/tables/{table}.csv" for table in ("claims", "table1")]
FIGURES += [f"{RESULTS}/paper.html"]

# The paper's claims held against this run's tables, Table 1, and the page of both: where a data set
# of the run stands for one of the paper's.
if BENCHMARK.stands_for():

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
                category=CATEGORIES.PAPER,
                labels={"item": "claims (table)"},
            ),
            table1=report(
                f"{RESULTS}/tables/table1.csv",
                caption="../report/table1.rst",
                category=CATEGORIES.PAPER,
                labels={"item": "Table 1 (table)"},
            ),
            page=report(
                f"{RESULTS}/paper.html",
                caption="../report/paper.rst",
                category=CATEGORIES.PAPER,
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

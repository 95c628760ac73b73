# From fits to tidy tables: those of each data set, then of the whole run.
JOINED = JOBS.joined()
RUN_TABLES = {
    table: report(
        f"{RESULTS}/tables/{table}.csv",
        caption=f"../report/tables/{table}.rst",
        category=CATEGORIES.TABLES,
        labels={"table": table},
    )
    for table in ("runtime", "host", *JOINED)
}
TABLES = [f"{RESULTS}/tables/{table}.csv" for table in RUN_TABLES]
ALONE = len(JOBS.places) == 1  # then no step is needed to join tables

# A rule per data set, since each has its own tables.
for dataset in JOBS.places:

    rule:
        name:
            rule_name("compare", dataset)
        input:
            **JOBS.compare_inputs(dataset),
        output:
            **JOBS.compare_outputs(dataset),
            **{f"run_{table}": path for table, path in RUN_TABLES.items() if ALONE},
        log:
            f"{LOGS}/{dataset}/compare.log",
        localrule: is_quick(BENCHMARK, dataset)
        conda:
            "../envs/intae.yaml"
        threads: 1
        resources:
            **asked("compare"),
        params:
            **JOBS.compare_params(dataset),
        script:
            "../scripts/compare.py"


if not ALONE:

    rule join:
        input:
            **JOINED,
            facts=[
                path
                for dataset in JOBS.places
                for path in JOBS.fits(JOBS.facts, dataset)
            ],
        output:
            **RUN_TABLES,
        log:
            f"{LOGS}/join.log",
        localrule: True  # seconds
        conda:
            "../envs/intae.yaml"
        threads: 1
        script:
            "../scripts/join.py"


# What methods call in draws with an implanted truth against what they call in the matched null.
if JOBS.calls():

    rule implanted_calls:
        input:
            [
                path
                for about in JOBS.calls().values()
                for path in about["truth"] + about["null"]
            ],
        output:
            report(
                JOBS.calls_table,
                caption="../report/tables/implanted_calls.rst",
                category=CATEGORIES.TABLES,
                labels={"table": "implanted_calls"},
            ),
        log:
            f"{LOGS}/implanted_calls.log",
        localrule: True
        conda:
            "../envs/intae.yaml"
        threads: 1
        params:
            calls=JOBS.calls(),
            tables=["implanted_calls"],
        script:
            "../scripts/calls.py"

    TABLES.append(JOBS.calls_table)


# What an earlier run lacked and this one leaves out: see `leave_out_failed` in the config.
if BENCHMARK.left_out:

    rule missing:
        input:
            f"{RESULTS}/missing.csv",
        output:
            report(
                f"{RESULTS}/tables/missing.csv",
                caption="../report/tables/missing.rst",
                category=CATEGORIES.TABLES,
                labels={"table": "missing"},
            ),
        log:
            f"{LOGS}/missing.log",
        localrule: True
        params:
            left_out=BENCHMARK.left_out,
        shell:
            "cp {input} {output} > {log} 2>&1"

    TABLES.append(f"{RESULTS}/tables/missing.csv")

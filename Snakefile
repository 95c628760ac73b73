from snakemake.utils import min_version

min_version("9.27")


# Found beside this file, wherever Snakemake is started, and where another workflow uses this one.
configfile: f"{workflow.current_basedir}/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/fit.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/paper.smk"


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,

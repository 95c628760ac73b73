configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/studies.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/held_out.smk"
include: "rules/report.smk"
include: "rules/held_out_figures.smk"
include: "rules/planted.smk"
include: "rules/paper.smk"
include: "rules/paper_figures.smk"
include: "rules/trust.smk"
include: "rules/scaling.smk"
include: "rules/sweep.smk"
include: "rules/pages.smk"


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,

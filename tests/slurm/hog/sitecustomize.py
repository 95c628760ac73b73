"""Makes one step of a run greedy: Python imports this file by itself where PYTHONPATH names it.

INTAE_TEST_HOG says which step, and what it takes before it starts, at every attempt:
`NAME.train.log:memory=MB` or `NAME.train.log:seconds=S`. A step is known by the name of its log,
which Snakemake writes into the script that it runs.
"""

import os
import sys
import time

step, _, wish = os.environ.get("INTAE_TEST_HOG", "").partition(":")
path = sys.orig_argv[-1]
if step and ".snakemake/scripts/" in path and os.path.exists(path):
    with open(path, "rb") as script:
        greedy = step.encode() in script.read()
    what, _, amount = wish.partition("=")
    if greedy and what == "memory":
        taken = b"x" * (int(amount) << 20)
        time.sleep(5)  # the memory of a job is looked at once a second
        del taken
    elif greedy:
        time.sleep(int(amount))

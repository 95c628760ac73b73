"""What is measured of fits: pure functions of fits and prepared data that return tidy tables.

Nothing here knows the config, the workflow or a path. What has to be fitted again to be measured is
in :mod:`intae.benchmark.refits`.
"""

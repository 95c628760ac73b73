#!/usr/bin/env bash
# Write requirements.lock from pyproject.toml: one file for Python 3.11 to 3.13 and all platforms.
# torch's own CUDA packages are left to pip, so that the same pin gives the CPU build where that is
# what there is. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
cuda=$(uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-annotate \
    --no-header --quiet --constraint <(echo "torch==2.13.0") \
    | grep -oE '^(nvidia|cuda)-[a-z0-9-]+|^triton' | sed 's/^/--no-emit-package /')
# shellcheck disable=SC2086
uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
    --fork-strategy fewest --no-annotate --no-header --quiet $cuda \
    --constraint <(echo "torch==2.13.0") --output-file requirements.lock

"""Run code where some packages are not installed."""

import subprocess
import sys


def run_without(modules, code, *arguments):
    """Run code in a process of its own, where these modules cannot be imported."""
    block = f"import sys; sys.modules.update(dict.fromkeys({tuple(modules)!r}))\n"
    command = [sys.executable, "-c", block + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")

"""The machine that a number was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("intae", "anndata", "numpy", "scanpy", "scikit-learn", "scipy", "slalom", "torch")


def describe_host() -> dict[str, str]:
    """Name processor, cores, memory, GPU, system and versions, to stand beside runtimes."""
    host = {
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
                     else os.cpu_count()),
        "memory_gb": f"{_memory() / 2**30:.1f}",
        "gpu": _gpu(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }  # fmt: skip
    return host | versions()


def versions() -> dict[str, str]:
    """Return the version of each package that a result depends on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            from intae import __version__

            found[package] = __version__ if package == "intae" else "not installed"
    return found


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process so far, in MB (2**20 bytes)."""
    status = Path("/proc/self/status")  # getrusage would count the parent's before the exec
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 2**10
    try:
        import resource  # not on Windows
    except ImportError:
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _memory() -> int:
    """Return the memory of the machine in bytes."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    import psutil

    return psutil.virtual_memory().total


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gpu() -> str:
    """Ask the driver, not torch: importing it would count towards other models' memory."""
    if shutil.which("nvidia-smi") is None:
        return "none"
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return ", ".join(done.stdout.split("\n")).strip(", ") or "none"

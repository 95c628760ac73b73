"""How many threads a piece of work may use, for every library that starts its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def limit_threads(threads: int | None) -> Iterator[None]:
    """Limit BLAS, OpenMP and torch to `threads` threads inside the block.

    Parameters
    ----------
    threads
        Number of threads; None leaves everything as it is.
    """
    if threads is None:
        yield
        return
    if threads < 1:
        msg = f"threads must be at least 1, not {threads}"
        raise ValueError(msg)
    torch = sys.modules.get("torch")  # only if somebody already uses it
    before = torch.get_num_threads() if torch else None
    with threadpool_limits(limits=threads):
        if torch:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)

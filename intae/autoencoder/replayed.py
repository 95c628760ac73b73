"""A training step as a CUDA graph: recorded once, replayed for every batch; needs torch.

Of a batch of 62 cells a GPU's work takes less time than Python takes to ask for it, some sixty
kernels one by one. A graph asks for all of them at once (CUDA Programming Guide, "CUDA Graphs").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

BEFORE = 3  # calls before a recording, in which libraries take what memory they need


@dataclass
class _Recording:
    graph: torch.cuda.CUDAGraph
    given: tuple[torch.Tensor, ...]
    returned: tuple[torch.Tensor, ...]


class Replayed:
    """A function of tensors that is recorded on a GPU, for each shape, and called on a CPU.

    Every call does the same work on the same tensors beside those that are given, so what it
    changes (weights, averages, random numbers) changes by each call, recorded or not.

    Parameters
    ----------
    work
        Takes tensors of the device and returns tensors. It may not wait for a value: nothing that
        asks the GPU for a number, nor a branch on one.
    device
        Where the tensors are.
    random
        The generator of that device from which the work draws.
    """

    def __init__(
        self,
        work: Callable[..., tuple[torch.Tensor, ...]],
        device: torch.device,
        random: torch.Generator,
    ):
        self.work, self.records, self.random = work, device.type == "cuda", random
        self.calls: dict[tuple[torch.Size, ...], int] = {}
        self.recordings: dict[tuple[torch.Size, ...], _Recording] = {}

    def __call__(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Do the work with tensors; what is returned holds until the next call."""
        if not self.records:
            return self.work(*given)
        shapes = tuple(tensor.shape for tensor in given)
        self.calls[shapes] = self.calls.get(shapes, 0) + 1
        if self.calls[shapes] <= BEFORE:
            return self.work(*given)
        if shapes not in self.recordings:
            self.recordings[shapes] = self._record(given)
        recording = self.recordings[shapes]
        for kept, tensor in zip(recording.given, given, strict=True):
            kept.copy_(tensor)
        recording.graph.replay()
        return recording.returned

    def _record(self, given: tuple[torch.Tensor, ...]) -> _Recording:
        graph, given = torch.cuda.CUDAGraph(), tuple(tensor.clone() for tensor in given)
        graph.register_generator_state(self.random)  # so that each replay draws anew
        # This records and does nothing; meanwhile another thread may read the next cells.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            returned = self.work(*given)
        return _Recording(graph, given, returned)

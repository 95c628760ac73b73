"""What training a network repeats for every batch, written out: gradients and Adam.

Autograd, an optimizer and a module of torch give the same numbers, to the last bit. Of a batch of
62 cells they take half the time for what is no product of matrices: new arrays for all that comes
in between, a graph, and a walk over all parameters.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional
from torch.optim.adam import adam


class Adam:
    """Adam (Kingma and Ba 2015), as `torch.optim.Adam` has it with its defaults, fused.

    That class imports PyTorch's compiler as soon as it is made, which takes longer than many a fit
    of a few cells; the function that it calls does not. State dicts are the same.

    Parameters
    ----------
    parameters
        The tensors to train.
    learning_rate
        The length of a step.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float):
        self.parameters, self.learning_rate = list(parameters), learning_rate
        self.state: dict[int, dict[str, torch.Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients; a tensor that has none stays as it is."""
        used = {i: p for i, p in enumerate(self.parameters) if p.grad is not None}
        for i, p in used.items():
            if i not in self.state:
                self.state[i] = {
                    "step": torch.zeros((), dtype=torch.float32, device=p.device),
                    "exp_avg": torch.zeros_like(p, memory_format=torch.preserve_format),
                    "exp_avg_sq": torch.zeros_like(p, memory_format=torch.preserve_format),
                }
        of = {name: [self.state[i][name] for i in used]
              for name in ("exp_avg", "exp_avg_sq", "step")}  # fmt: skip
        adam(
            list(used.values()), [p.grad for p in used.values()], of["exp_avg"], of["exp_avg_sq"],
            [], of["step"], fused=True, amsgrad=False, beta1=0.9, beta2=0.999,
            lr=self.learning_rate, weight_decay=0, eps=1e-8, maximize=False,
        )  # fmt: skip

    def state_dict(self) -> dict[str, dict[int, dict[str, torch.Tensor]]]:
        """Return what a training that goes on needs."""
        return {"state": self.state}

    def load_state_dict(self, kept: dict[str, dict[int, dict[str, torch.Tensor]]]) -> None:
        """Take over what was kept, onto the devices of the parameters."""
        self.state = {
            i: {name: tensor.to(self.parameters[i].device) for name, tensor in state.items()}
            for i, state in kept["state"].items()
        }


class Layers:
    """The forward and the backward pass of an encoder in training mode.

    Parameters
    ----------
    network
        As :func:`.network.make_encoder` makes it; in training mode.
    random
        Dropout draws from it. Default: torch's own.
    """

    def __init__(self, network: nn.Sequential, random: torch.Generator | None = None):
        self.random = random
        *hidden, self.last = network
        self.hidden = [tuple(hidden[i : i + 4]) for i in range(0, len(hidden), 4)]
        self.kept: list[tuple[torch.Tensor, ...]] = []  # of the last batch, by hidden layer
        for layer in (self.last, *(layers[0] for layers in self.hidden)):
            layer.weight.grad = torch.empty_like(layer.weight)
            layer.bias.grad = torch.empty_like(layer.bias)

    @torch.no_grad()
    def forward(self, Y: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of a batch, cells x outputs."""
        self.kept = []
        for linear, norm, elu, dropout in self.hidden:
            A = torch.addmm(linear.bias, Y, linear.weight.T)
            norm.num_batches_tracked += 1
            B, mean, scale = torch.native_batch_norm(
                A, norm.weight, norm.bias, norm.running_mean, norm.running_var, True,
                norm.momentum, norm.eps,
            )  # fmt: skip
            # the draws of bernoulli_, which takes half as long again
            drawn = torch.rand(B.shape, dtype=torch.float64, device=B.device, generator=self.random)
            kept = torch.lt(drawn, 1 - dropout.p, out=torch.empty_like(B)).mul_(1 / (1 - dropout.p))
            self.kept.append((Y, A, mean, scale, B, kept))
            Y = functional.elu(B, elu.alpha).mul_(kept)
        self.input = Y
        return torch.addmm(self.last.bias, Y, self.last.weight.T)

    @torch.no_grad()
    def backward(self, gradient: torch.Tensor, *, of_input: bool = False) -> torch.Tensor | None:
        """Set the gradients of the parameters.

        Parameters
        ----------
        gradient
            Of the loss in what :meth:`forward` returned last.
        of_input
            Whether the gradient in the batch itself is needed.

        Returns
        -------
        It, cells x inputs, or None.
        """
        aten = torch.ops.aten
        G = self._through(self.last, self.input, gradient)
        for i in range(len(self.hidden) - 1, -1, -1):
            linear, norm, elu, _ = self.hidden[i]
            Y, A, mean, scale, B, kept = self.kept[i]
            G = aten.elu_backward(G.mul_(kept), elu.alpha, 1, 1, False, B)
            G, of_weight, of_bias = aten.native_batch_norm_backward(
                G, A, norm.weight, norm.running_mean, norm.running_var, mean, scale, True,
                norm.eps, [True, True, True],
            )  # fmt: skip
            norm.weight.grad, norm.bias.grad = of_weight, of_bias
            G = self._through(linear, Y, G, of_input or i > 0)
        return G

    @staticmethod
    def _through(
        linear: nn.Linear, Y: torch.Tensor, G: torch.Tensor, of_input: bool = True
    ) -> torch.Tensor | None:
        torch.sum(G, 0, out=linear.bias.grad)
        torch.mm(G.T, Y, out=linear.weight.grad)
        return G @ linear.weight if of_input else None


def residual_gradient(
    Y: torch.Tensor, Z: torch.Tensor, W: torch.Tensor, lambda0: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return 2 (Z W' - Y) / N, the gradient of F (equation 3) in Z W', and that in Z.

    Parameters
    ----------
    Y, Z, W
        cells x genes, cells x terms, genes x terms.
    """
    G = torch.mm(Z, W.T).sub_(Y).mul_(2 / len(Y))
    shrink = torch.ones((), device=Z.device) / len(Y) * lambda0  # rounded as autograd does
    return G, (G @ W).add_(2 * Z * shrink)

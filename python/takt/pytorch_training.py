"""Trains with PyTorch."""

import torch


def train(parameters, stepper, loss_of, iterations, change_gradients=lambda: None):
    """(loss and gradients of the first minibatch, weights at the end), gradients and
    weights by the parameters' names. loss_of(i) is the loss of minibatch i,
    change_gradients what is done to gradients before each step."""
    first = None
    for i in range(iterations):
        stepper.zero_grad()
        loss = loss_of(i)
        loss.backward()
        if first is None:
            first = loss.item(), {name: p.grad.numpy().copy()
                                  for name, p in parameters.items()}
        change_gradients()
        stepper.step()
    return (*first, {name: p.detach().numpy() for name, p in parameters.items()})


def cross_entropy(model, inputs, label, batch):
    """A loss_of for train(), of the minibatches in the order of the samples."""
    def loss_of(i):
        part = slice(i * batch, (i + 1) * batch)
        return torch.nn.functional.cross_entropy(
            model(torch.from_numpy(inputs[part])), torch.from_numpy(label[part]))
    return loss_of

"""PyTorch; see worker.py."""

import numpy as np
import torch
from weights import IMAGE_SHAPE


def pytorch(X, Y, batch_size, threads, convolutions=()):
    """PyTorch as one writes it: modules, autograd and an optimizer, all data in one tensor."""
    torch.set_num_threads(threads)
    samples, labels = torch.from_numpy(X.T), torch.from_numpy(Y.argmax(axis=0))
    n = len(samples)

    def start(weights, learning_rate, seed):
        model = build_model(weights, convolutions)
        optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
        rng = np.random.default_rng(seed)

        def epoch():
            order, total = torch.from_numpy(rng.permutation(n)), 0.0
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                loss = torch.nn.functional.cross_entropy(model(samples[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            return total / n

        return epoch

    return start


def build_model(weights, convolutions):
    """Return the network as a module. PyTorch has the channels before the height and the width."""
    layers = [torch.nn.Unflatten(1, (1, *IMAGE_SHAPE))] if convolutions else []
    for W, block in zip(weights, convolutions):
        k = block["kernel"]
        filters = W[:, :-1].reshape(len(W), k, k, -1).transpose(0, 3, 1, 2)
        conv = torch.nn.Conv2d(filters.shape[1], len(W), k, padding=block["padding"])
        layers += [
            fill(conv, filters, W[:, -1]),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(block["pool"]),
        ]
    if convolutions:
        *_, channels, height, width = torch.nn.Sequential(*layers)(torch.zeros(1, 784)).shape
        layers.append(torch.nn.Flatten())
    for i, W in enumerate(weights[len(convolutions) :]):
        V = W[:, :-1]
        if convolutions and i == 0:
            V = V.reshape(-1, height, width, channels).transpose(0, 3, 1, 2).reshape(V.shape)
        layers += [fill(torch.nn.Linear(V.shape[1], len(V)), V, W[:, -1]), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def fill(layer, W, bias):
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W.copy()))
        layer.bias.copy_(torch.from_numpy(bias.copy()))
    return layer


def pytorch_by_hand(X, Y, batch_size, threads):
    """PyTorch without autograd: gradients written out, weights updated in place."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    samples, targets = torch.from_numpy(X.T), torch.from_numpy(Y.T)
    n = len(samples)

    def start(weights, learning_rate, seed):
        matrices = [torch.from_numpy(W[:, :-1].T.copy()) for W in weights]
        biases = [torch.from_numpy(W[:, -1].copy()) for W in weights]
        rng = np.random.default_rng(seed)

        def epoch():
            order, total = torch.from_numpy(rng.permutation(n)), 0.0
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                inputs = [samples.index_select(0, batch)]
                target = targets.index_select(0, batch)
                for W, bias in zip(matrices[:-1], biases):
                    inputs.append(torch.addmm(bias, inputs[-1], W).clamp_(min=0))
                logs = torch.log_softmax(torch.addmm(biases[-1], inputs[-1], matrices[-1]), 1)
                total -= (logs * target).sum().item()
                d = logs.exp_().sub_(target).div_(len(batch))
                for i in reversed(range(len(matrices))):
                    earlier = (d @ matrices[i].t()).mul_(inputs[i] > 0) if i else None
                    matrices[i].addmm_(inputs[i].t(), d, alpha=-learning_rate)
                    biases[i].sub_(d.sum(0), alpha=learning_rate)
                    d = earlier
            return total / n

        return epoch

    return start

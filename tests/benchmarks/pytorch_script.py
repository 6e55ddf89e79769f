"""The default run as one file in PyTorch: python pytorch_script.py RAW OUT"""

import sys

import numpy as np
import torch

from one_file import load, write_results

raw, out = sys.argv[1:]
X, labels, X_test, labels_test = load(raw)
samples, targets = torch.from_numpy(X), torch.from_numpy(labels)
model = torch.nn.Linear(784, 10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
losses, accuracies = [], []
for _ in range(20):
    order = torch.randperm(len(samples))
    total, right = 0.0, 0
    for start in range(0, len(samples), 200):
        batch = order[start : start + 200]
        logits = model(samples[batch])
        loss = torch.nn.functional.cross_entropy(logits, targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
        right += (logits.argmax(1) == targets[batch]).sum().item()
    losses.append(total / len(samples))
    accuracies.append(right / len(samples))
with torch.no_grad():
    P = torch.softmax(model(torch.from_numpy(X_test)), 1).numpy()
np.savez(f"{out}/weights.npz", *(parameter.detach().numpy() for parameter in model.parameters()))
write_results(out, losses, accuracies, model.weight.detach().numpy(), X_test, labels_test, P)

"""Distributed alignment search in a small network, in plain PyTorch on one thread.

The same work as the job das_mlp_B6400_50steps: three ReLU layers of width 16 that are frozen, one
orthogonal matrix that is trained, its coordinates [0, 8) from one source and [8, 16) from another,
a batch of 6,400 that is given, cross entropy, 50 steps of Adam.

usage: das_mlp.py           prints the median of 9 runs in milliseconds
       das_mlp.py --serve   runs once for each line of its input, and says when it has
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, HALF, BATCH, STEPS = 16, 8, 6400, 50

torch.set_num_threads(1)
torch.manual_seed(0)

layers = [nn.Linear(WIDTH, WIDTH).requires_grad_(False) for _ in range(3)]
score = nn.Linear(WIDTH, 2).requires_grad_(False)
base, left, right = (torch.rand(BATCH, WIDTH) * 2 - 1 for _ in range(3))
labels = torch.randint(2, (BATCH,))

rotation = nn.Linear(WIDTH, WIDTH, bias=False)
nn.init.orthogonal_(rotation.weight)
rotation = nn.utils.parametrizations.orthogonal(rotation, orthogonal_map="matrix_exp")
optimizer = torch.optim.Adam(rotation.parameters(), lr=1e-3)


def encoded(inputs, w):
    return F.relu(layers[0](inputs)) @ w


def step():
    w = rotation.weight
    code = torch.cat([encoded(left, w)[:, :HALF], encoded(base, w)[:, HALF:]], 1)
    code = torch.cat([code[:, :HALF], encoded(right, w)[:, HALF:]], 1)
    hidden = code @ w.T
    for layer in layers[1:]:
        hidden = F.relu(layer(hidden))
    loss = F.cross_entropy(score(hidden), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def run():
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - start) * 1e3


if sys.argv[1:] == ["--serve"]:
    print("ready", flush=True)
    for _ in sys.stdin:
        print(run(), flush=True)
else:
    run()
    times = [run() for _ in range(9)]
    print(json.dumps({"median_ms": round(statistics.median(times), 3), "n": len(times)}))

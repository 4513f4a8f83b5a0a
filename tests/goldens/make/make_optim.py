"""Records tests/goldens/optim: trajectories of torch.optim on a small problem.

Needs torch, transformers and safetensors. Run: python make_optim.py <output folder>
"""

import json
import os
import sys

import torch
import transformers
from safetensors.torch import save_file

SCHEDULE = (
    "linear warm-up 2 steps, then linear decay to 0 at step 6 "
    "(transformers.get_linear_schedule_with_warmup)"
)
RUNS = {
    "sgd": ("SGD", dict(lr=0.1)),
    "sgd_momentum_wd": ("SGD", dict(lr=0.05, momentum=0.9, weight_decay=0.02)),
    "sgd_nesterov": ("SGD", dict(lr=0.05, momentum=0.9, nesterov=True)),
    "sgd_dampening": ("SGD", dict(lr=0.05, momentum=0.8, dampening=0.3)),
    "adam": ("Adam", dict(lr=0.03)),
    "adam_full": ("Adam", dict(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
    "adam_amsgrad": ("Adam", dict(lr=0.03, amsgrad=True)),
    "adamw": ("AdamW", dict(lr=0.03)),
    "adamw_full": ("AdamW", dict(lr=0.02, betas=(0.85, 0.97), eps=1e-7, weight_decay=0.3)),
    "adam_warmup": ("Adam", dict(lr=0.05)),
    "adamw_groups_warmup": ("AdamW", dict(lr=0.02)),
}

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(7)
A, b = torch.randn(6, 4, generator=generator), torch.randn(6, 3, generator=generator)
w0, c0 = torch.randn(4, 3, generator=generator), torch.randn(3, generator=generator)
tensors = {"A": A, "b": b, "w0": w0, "c0": c0}
index = {}


def start():
    return w0.clone().requires_grad_(True), c0.clone().requires_grad_(True)


def problem(w, c):
    return ((torch.tanh(A @ w + c) - b) ** 2).mean() + 0.05 * (w**4).sum()


for name, (kind, options) in RUNS.items():
    w, c = start()
    grouped = "groups" in name
    parameters = [{"params": [w]}, {"params": [c], "lr": 0.1, "weight_decay": 0.0}] if grouped else [w, c]
    optimizer = getattr(torch.optim, kind)(parameters, **options)
    schedule = None
    if "warmup" in name:
        schedule = transformers.get_linear_schedule_with_warmup(optimizer, 2, 6)
    rates, losses = [], []
    for step in range(5):
        optimizer.zero_grad()
        loss = problem(w, c)
        loss.backward()
        if step == 0:
            tensors[f"{name}.grad_w.0"], tensors[f"{name}.grad_c.0"] = w.grad.clone(), c.grad.clone()
        rates.append([group["lr"] for group in optimizer.param_groups])
        losses.append(float(loss))
        optimizer.step()
        tensors[f"{name}.w.{step + 1}"] = w.detach().clone()
        tensors[f"{name}.c.{step + 1}"] = c.detach().clone()
        if schedule:
            schedule.step()
    index[name] = dict(
        optimizer=kind,
        kwargs={k: list(v) if isinstance(v, tuple) else v for k, v in options.items()},
        schedule=SCHEDULE if schedule else None,
        groups="w with the defaults; c with lr 0.1, weight_decay 0" if grouped else None,
        lr_used=rates,
        losses=losses,
    )

w, c = start()
(problem(w, c) * 10).backward()
tensors["clip.total_norm"] = torch.nn.utils.clip_grad_norm_([w, c], 0.5)
tensors["clip.grad_w"], tensors["clip.grad_c"] = w.grad, c.grad
index["clip"] = dict(call="(problem*10).backward(); clip_grad_norm_([w, c], 0.5)")

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, f"{folder}/optim.safetensors")
with open(f"{folder}/optim.json", "w") as file:
    json.dump(
        dict(
            versions=dict(torch=torch.__version__, transformers=transformers.__version__),
            problem="loss(w, c) = mean((tanh(A@w + c) - b)**2) + 0.05*sum(w**4); "
            "<run>.w.<k>, <run>.c.<k>: parameters after step k (1..5)",
            runs=index,
        ),
        file,
        indent=1,
    )

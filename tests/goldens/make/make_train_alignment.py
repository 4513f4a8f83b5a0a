"""pyvene's own train_alignment with its defaults, on the tiny GPT-2: training/train_alignment.json (data and losses).
usage: make_train_alignment.py GOLDENS; the rotation starts as in training/rotated.safetensors"""
import json, sys, torch
import torch.nn.functional as F
import pyvene as pv
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel
torch.set_num_threads(1)
ROOT = sys.argv[1]
ROWS, BATCH, EPOCHS, FROM, TO = 10, 2, 4, 3, 2
g = torch.Generator().manual_seed(7)
base, source = torch.randint(1, 50, (ROWS, 6), generator=g), torch.randint(1, 50, (ROWS, 8), generator=g)
labels = torch.randint(1, 50, (ROWS,), generator=g)
model = GPT2LMHeadModel.from_pretrained(f"{ROOT}/models/gpt2", attn_implementation="eager").eval()
p = pv.IntervenableModel([dict(layer=1, component="block_output", intervention_type=pv.RotatedSpaceIntervention)], model)
key, = p.sorted_keys
start = load_file(f"{ROOT}/training/rotated.safetensors")
prefix = f"param.0.{key}."
p.interventions[key].load_state_dict({n[len(prefix):]: t for n, t in start.items() if n.startswith(prefix)}, strict=False)
p.interventions[key].set_interchange_dim(8)
batches = [{"input_ids": base[i:i + BATCH], "source_input_ids": source[i:i + BATCH], "labels": labels[i:i + BATCH],
            "source_0->base.0.pos": [[FROM]] * BATCH, "source_0->base.1.pos": [[TO]] * BATCH} for i in range(0, ROWS, BATCH)]
losses = []
def loss(logits, wanted):
    value = F.cross_entropy(logits[:, -1], wanted); losses.append(value.item()); return value
p.train_alignment(batches, loss, lambda logits, wanted: (logits[0][:, -1].argmax(-1) == wanted[0]).float().mean().item(), None, epochs=EPOCHS, lr=1e-2)
json.dump(dict(versions=dict(torch=torch.__version__, pyvene="HEAD 9e33390"), key=key, base=base.tolist(), source=source.tolist(), labels=labels.tolist(),
               batch=BATCH, epochs=EPOCHS, positions=[FROM, TO], lr=1e-2, losses=losses), open(f"{ROOT}/training/train_alignment.json", "w"))
print(losses)

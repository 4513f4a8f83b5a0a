"""Loads directories of interventions with pyvene and runs them.

usage: python run_pyvene.py JOB.json

JOB.json: [{"model": DIR, "saved": DIR, "base": [[ids]], "sources": [[[ids]] | null], "unit_locations": {...},
"subspaces": [...] | null}, ...]. Prints, as JSON, for each the logits, or {"error": what pyvene says}.
"""
import contextlib, io, json, os, sys
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch, transformers
from pyvene.models.intervenable_base import IntervenableModel


def tuples(locations):
    return {key: tuple(value) if key.endswith("->base") else value for key, value in locations.items()}


def run(job):
    model = transformers.GPT2LMHeadModel.from_pretrained(job["model"], attn_implementation="eager").eval()
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = IntervenableModel.load(job["saved"], model)
    sources = None if job["sources"] is None else [None if s is None else {"input_ids": torch.tensor(s)} for s in job["sources"]]
    with torch.no_grad():
        _, out = loaded({"input_ids": torch.tensor(job["base"])}, sources, tuples(job["unit_locations"]), subspaces=job["subspaces"])
    return out.logits.flatten().tolist()


results = []
for job in json.load(open(sys.argv[1])):
    try:
        results.append(run(job))
    except Exception as error:
        results.append({"error": repr(error)[:300]})
print(json.dumps(results))

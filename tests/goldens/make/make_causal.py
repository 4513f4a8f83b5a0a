"""Records tests/goldens/causal.json: what pyvene's CausalModel says of small random graphs.

Needs pyvene (HEAD 9e33390). Run: PYTHONPATH=<pyvene> python make_causal.py <output file>
"""

import itertools
import json
import random
import sys

import torch
from pyvene import CausalModel

NAMES = ["c", "a", "F", "b", "e", "D", "g"]


def graph(seed):
    """Variables with values 0, 1 (and 2), up to three parents each, and functions as tables."""
    draw = random.Random(seed)
    names = NAMES[: draw.randint(4, 7)]
    values = {name: list(range(draw.choice([2, 2, 3]))) for name in names}
    parents = {
        name: draw.sample(names[:place], min(draw.choice([0, 1, 2, 2, 3]), place))
        for place, name in enumerate(names)
    }
    tables = {
        name: [draw.choice(values[name]) for _ in settings(parents[name], values)] for name in names
    }
    return names, values, parents, tables


def settings(names, values):
    return list(itertools.product(*[values[name] for name in names]))


def function(name, values, parents, tables):
    places = {setting: i for i, setting in enumerate(settings(parents[name], values))}
    return lambda *setting: tables[name][places[setting]]


def pairs(table):
    return [[key, value] for key, value in table.items()]


def record(seed):
    names, values, parents, tables = graph(seed)
    functions = {name: function(name, values, parents, tables) for name in names}
    model = CausalModel(list(names), values, parents, functions)
    model.generate_equiv_classes()
    draw = random.Random(seed)
    some = {name: draw.choice(values[name]) for name in draw.sample(names, len(names) // 2)}
    inputs = [dict(zip(model.inputs, setting)) for setting in settings(model.inputs, values)]
    inside = [name for name in model.variables if name not in model.inputs + model.outputs]
    data = []
    if inside:
        random.seed(seed)
        balanced = lambda output_var=None, output_var_value=None: model.sample_input()
        raw = dict(size=6, batch_size=2, sampler=balanced, intervention_sampler=model.sample_intervention)
        number = lambda intervention: sum(2 ** inside.index(name) for name in intervention)
        interventions = []
        keep = lambda intervention: not interventions.append(sorted(intervention))
        data = model.generate_counterfactual_dataset(
            intervention_id=number, filter=keep, return_tensors=False, **raw
        )
        for place, example in enumerate(data):
            chosen = [name for name in model.variables if name in interventions[place // 2]]
            sources = dict(zip(chosen, example["source_input_ids"]))
            example["sources"] = sources
            rows = [model.input_to_tensor(source) for source in sources.values()]
            rows += [torch.zeros(len(model.inputs))] * (len(inside) - len(rows))
            example["source_input_ids"] = torch.stack(rows).tolist()
            example["input_tensor"] = model.input_to_tensor(example["input_ids"]).tolist()
            example["label_tensor"] = model.output_to_tensor(example["labels"]).tolist()
            example["base_label_tensor"] = model.output_to_tensor(example["base_labels"]).tolist()
    return {
        "values": values,
        "parents": parents,
        "tables": tables,
        "variables": model.variables,
        "inputs": model.inputs,
        "outputs": model.outputs,
        "inside": inside,
        "children": model.children,
        "timesteps": model.timesteps,
        "classes": {name: pairs(table) for name, table in model.equiv_classes.items()},
        "runs": [{"setting": at, "total": model.run_forward(at)} for at in [{}, some, *inputs[:12]]],
        "paths": [
            {"setting": at, "paths": [[k, v] for k, v in model.find_live_paths(at).items() if v]}
            for at in [*inputs[:4], {**inputs[0], **some}]
        ],
        "data": data,
    }


with open(sys.argv[1], "w") as file:
    json.dump([record(seed) for seed in (1, 4, 6, 9, 12)], file)

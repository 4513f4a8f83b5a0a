"""What edges are attributed and what circuits come to, by the formulas of EAP-IG (795f560), on the recorded GPT-2."""
from common import *
from transformers import GPT2LMHeadModel

torch.set_grad_enabled(True)
model = GPT2LMHeadModel.from_pretrained(ROOT + "/models/gpt2").double().eval().requires_grad_(False)
body, cfg = model.transformer, model.config
L, H, D = cfg.n_layer, cfg.n_head, cfg.n_embd
W = D // H
RIGHT, WRONG, STEPS = 1, 2, 3
CLEAN = [[5, 17, 9, 30, 21], [40, 8, 33, 12, 6]]
CORRUPT = [[5, 11, 9, 30, 21], [40, 26, 33, 12, 6]]
SENDERS = ["input"] + [n for l in range(L) for n in [f"a{l}.h{h}" for h in range(H)] + [f"m{l}"]]
RECEIVERS = [n for l in range(L) for n in [f"a{l}.h{h}<{k}>" for k in "qkv" for h in range(H)] + [f"m{l}"]] + ["logits"]
def place(name):
    if name == "input": return -1, 0
    if name == "logits": return L, 0
    return (int(name[1:]), 1) if name[0] == "m" else (int(name[1:].split(".")[0]), 0)
EDGES = [(u, v) for u in SENDERS for v in RECEIVERS if place(u) < place(v)]

def norm(m, x): return nn.functional.layer_norm(x, (D,), m.weight, m.bias, m.eps)

def run(ids, written=lambda name, x: x, read=lambda name, x, writes: x):
    """Logits at the end and what all nodes wrote; `written` and `read` change what nodes write and read."""
    ids = torch.tensor(ids)
    writes = {"input": written("input", body.wte(ids) + body.wpe(torch.arange(ids.shape[1])))}
    state = writes["input"]
    for l, block in enumerate(body.h):
        weight, bias = block.attn.c_attn.weight, block.attn.c_attn.bias
        heads = []
        for h in range(H):
            part = {}
            for i, kind in enumerate("qkv"):
                x = norm(block.ln_1, read(f"a{l}.h{h}<{kind}>", state, writes))
                at = slice(i * D + h * W, i * D + (h + 1) * W)
                part[kind] = x @ weight[:, at] + bias[at]
            scores = part["q"] @ part["k"].transpose(1, 2) / math.sqrt(W)
            mask = torch.full(scores.shape[1:], -torch.inf, dtype=scores.dtype).triu(1)
            mixed = (scores + mask).softmax(-1) @ part["v"]
            heads.append(written(f"a{l}.h{h}", mixed @ block.attn.c_proj.weight[h * W:(h + 1) * W]))
        writes.update({f"a{l}.h{h}": x for h, x in enumerate(heads)})
        state = state + sum(heads) + block.attn.c_proj.bias
        writes[f"m{l}"] = written(f"m{l}", block.mlp(norm(block.ln_2, read(f"m{l}", state, writes))))
        state = state + writes[f"m{l}"]
    logits = model.lm_head(norm(body.ln_f, read("logits", state, writes)))[:, -1]
    return logits, writes

def metric(logits): return logits[:, RIGHT] - logits[:, WRONG]

(clean_logits, clean), (corrupt_logits, corrupt) = run(CLEAN), run(CORRUPT)
assert torch.allclose(clean_logits, model(torch.tensor(CLEAN)).logits[:, -1])
change = {u: (corrupt[u] - clean[u]).detach() for u in SENDERS}

def scores(runs):
    """The mean over runs of each edge's change times gradient, summed over positions, the mean over the pairs."""
    total = dict.fromkeys(EDGES, 0.0)
    for ids, written in runs:
        leaves = {v: torch.zeros_like(clean["input"]).requires_grad_() for v in RECEIVERS}
        logits, _ = run(ids, written, lambda v, x, _: x + leaves[v])
        metric(logits).sum().backward()
        for u, v in EDGES:
            # What is not read, where what comes of it is moved, has no gradient.
            if leaves[v].grad is not None:
                total[u, v] += (change[u] * leaves[v].grad).sum().item() / len(CLEAN) / len(runs)
    return list(total.values())

def moved(names, share):
    return lambda name, x: corrupt[name] + share * (clean[name] - corrupt[name]) if name in names else x
plain = lambda _, x: x
GROUPS = [["input"]] + [g for l in range(L) for g in ([f"a{l}.h{h}" for h in range(H)], [f"m{l}"])]
found = {
    "gradient": scores([(CLEAN, plain)]),
    "ends": scores([(CLEAN, plain), (CORRUPT, plain)]),
    "integratedGradients": scores([(CLEAN, moved(["input"], k / STEPS)) for k in range(STEPS)]),
    "integratedActivations": scores([(CLEAN, moved(g, k / STEPS)) for g in GROUPS for k in range(1, STEPS + 1)]),
}

def circuit(kept, of):
    """The metric of each pair where edges that are not kept carry `of` in the place of what senders write."""
    def read(v, x, writes):
        return x + sum(of[u] - writes[u] for u, w in EDGES if w == v and (u, v) not in kept)
    return metric(run(CLEAN, read=read)[0]).tolist()

generator = gen(3)
kept = [sorted(i for i in range(len(EDGES)) if torch.rand((), generator=generator) < share) for share in (.3, .6, .9)]
filler = {
    "counterpart": corrupt,
    "zero": {u: torch.zeros_like(x) for u, x in clean.items()},
    "mean": {u: x.mean(0, keepdim=True).expand(x.shape) for u, x in corrupt.items()},
}
round7 = lambda xs: [float(f"{x:.7g}") for x in xs]
jdump_compact = {
    "versions": VERS, "clean": CLEAN, "corrupt": CORRUPT, "right": RIGHT, "wrong": WRONG, "steps": STEPS,
    "edges": " ".join(f"{u}->{v}" for u, v in EDGES),
    "scores": {name: round7(own) for name, own in found.items()},
    "circuits": [
        {"kept": own, **{name: round7(circuit({EDGES[i] for i in own}, of)) for name, of in filler.items()}} for own in kept
    ],
}
with open(ROOT + "/circuits.json", "w") as f: json.dump(jdump_compact, f)

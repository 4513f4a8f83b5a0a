"""Records tests/goldens/layers: layers of torch.nn, their outputs and gradients.

The gradients are those of the sum of each floating-point output times cos(0), cos(1), ...

Needs torch and safetensors. Run: python make_layers.py <output folder>
"""

import json
import os
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)
torch.manual_seed(11)
B, T, D, H = 3, 4, 3, 4
tensors, index = {}, {}


def flat(value):
    return [value] if torch.is_tensor(value) else [t for v in value if v is not None for t in flat(v)]


def record(name, module, inputs, call=None, note=None):
    """inputs: by name; call(module, **inputs) gives a tensor or nested tuples of them."""
    call = call or (lambda m, x, **more: m(x, *more.values()))
    with torch.no_grad():
        for n, p in module.named_parameters():
            if "norm" in n:
                p.add_(0.2 * torch.randn_like(p))
            if n.endswith("bias") or n.startswith("in_proj_bias"):
                p.add_(0.1 * torch.randn_like(p))
    state = {n: v.clone() for n, v in module.state_dict().items()}
    inputs = {n: x.clone().requires_grad_(x.is_floating_point()) for n, x in inputs.items()}
    outputs = flat(call(module, **inputs))
    waves = [torch.cos(torch.arange(o.numel(), dtype=torch.float64)).float().reshape(o.shape) for o in outputs]
    sum((o * w).sum() for o, w in zip(outputs, waves)).backward()
    for n, x in inputs.items():
        tensors[f"{name}.input.{n}"] = x
        if x.grad is not None:
            tensors[f"{name}.input_grad.{n}"] = x.grad
    for n, v in state.items():
        tensors[f"{name}.state.{n}"] = v
    for n, p in module.named_parameters():
        if p.grad is not None:
            tensors[f"{name}.grad.{n}"] = p.grad
    for i, o in enumerate(outputs):
        tensors[f"{name}.output.{i}"] = o
    index[name] = {"torch": repr(module).split("\n")[0], "outputs": len(outputs), **({"note": note} if note else {})}


def randn(*shape):
    return torch.randn(*shape)


# Recurrent layers
def packed(lengths, state=()):
    def call(m, x, **more):
        p = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        h = tuple(more.values())
        out, last = m(p, (h if len(h) == 2 else h[0]) if h else None)
        return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], last

    return call


def with_state(m, x, **h):
    return m(x, tuple(h.values()) if len(h) == 2 else next(iter(h.values())))


x = randn(B, T, D)
record("rnn", nn.RNN(D, H, batch_first=True), {"x": x})
record("rnn_relu", nn.RNN(D, H, 2, nonlinearity="relu", bidirectional=True, batch_first=True), {"x": x})
record("gru", nn.GRU(D, H, batch_first=True), {"x": x})
record("gru_stacked", nn.GRU(D, H, 2, bidirectional=True, batch_first=True), {"x": x, "h": randn(4, B, H)}, with_state)
record("gru_steps_first", nn.GRU(D, H, bias=False), {"x": randn(T, B, D)})
record("gru_packed", nn.GRU(D, H, 2, bidirectional=True, batch_first=True), {"x": x, "h": randn(4, B, H)}, packed([2, 4, 1]))
record("lstm", nn.LSTM(D, H, batch_first=True), {"x": x})
record("lstm_stacked", nn.LSTM(D, H, 2, bidirectional=True, batch_first=True), {"x": x, "h": randn(4, B, H), "c": randn(4, B, H)}, with_state)
record("lstm_projected", nn.LSTM(D, H, 2, proj_size=2, bidirectional=True, batch_first=True), {"x": x})
record("lstm_packed", nn.LSTM(D, H, 2, proj_size=2, bidirectional=True, batch_first=True), {"x": x, "h": randn(4, B, 2), "c": randn(4, B, H)}, packed([4, 1, 3]))
record("rnn_cell", nn.RNNCell(D, H), {"x": randn(B, D), "h": randn(B, H)})
record("gru_cell", nn.GRUCell(D, H), {"x": randn(B, D), "h": randn(B, H)})
record("gru_cell_no_bias", nn.GRUCell(D, H, bias=False), {"x": randn(B, D)})
record("lstm_cell", nn.LSTMCell(D, H), {"x": randn(B, D), "h": randn(B, H), "c": randn(B, H)}, with_state)

# Attention and transformers
E, N = 8, 2
padding = torch.tensor([[False, False, False, True], [False] * 4, [False, True, True, True]])
later = torch.ones(T, T).triu(1).bool()
added = randn(B * N, T, T)


def attend(key_padding_mask=None, attn_mask=None):
    def call(m, x, key=None, value=None):
        return m(x, x if key is None else key, x if value is None else value, key_padding_mask=key_padding_mask, attn_mask=attn_mask, average_attn_weights=False)

    return call


xe = randn(B, T, E)
record("attention", nn.MultiheadAttention(E, N, batch_first=True), {"x": xe}, attend())
record("attention_causal", nn.MultiheadAttention(E, N, batch_first=True), {"x": xe}, attend(attn_mask=later))
record("attention_padded", nn.MultiheadAttention(E, N, batch_first=True), {"x": xe}, attend(padding, later))
record("attention_added", nn.MultiheadAttention(E, N, bias=False, batch_first=True), {"x": xe}, attend(attn_mask=added))
tensors["attention_added.mask"] = added
record("attention_across", nn.MultiheadAttention(E, N, batch_first=True), {"x": xe, "key": randn(B, 5, E), "value": randn(B, 5, E)}, attend())
record("attention_widths", nn.MultiheadAttention(E, N, kdim=5, vdim=3, batch_first=True), {"x": xe, "key": randn(B, 5, 5), "value": randn(B, 5, 3)}, attend())
record("attention_positions_first", nn.MultiheadAttention(E, N), {"x": randn(T, B, E)}, attend())


def masked(m, x):
    return m(x, mask=later, src_key_padding_mask=padding) if isinstance(m, nn.TransformerEncoder) else m(x, src_mask=later, src_key_padding_mask=padding)


common = dict(dim_feedforward=12, dropout=0.0, batch_first=True)
record("encoder_layer", nn.TransformerEncoderLayer(E, N, **common), {"x": xe})
record("encoder_layer_norm_first", nn.TransformerEncoderLayer(E, N, norm_first=True, activation="gelu", **common), {"x": xe}, masked)
record("encoder_layer_plain", nn.TransformerEncoderLayer(E, N, bias=False, layer_norm_eps=0.1, **common), {"x": xe})
stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(E, N, norm_first=True, **common), 2, nn.LayerNorm(E), enable_nested_tensor=False)
record("encoder", stack, {"x": xe}, masked)


def decode(m, x, memory):
    return m(x, memory, tgt_mask=later, memory_key_padding_mask=padding)


memory = randn(B, T, E)
record("decoder_layer", nn.TransformerDecoderLayer(E, N, **common), {"x": xe, "memory": memory}, decode)
record("decoder_layer_norm_first", nn.TransformerDecoderLayer(E, N, norm_first=True, **common), {"x": xe, "memory": memory}, decode)
record("decoder", nn.TransformerDecoder(nn.TransformerDecoderLayer(E, N, **common), 2, nn.LayerNorm(E)), {"x": xe, "memory": memory}, decode)

# Activations
xs = torch.cat([torch.tensor([-30.0, -4.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 7.0, 30.0]), randn(6)]).reshape(4, 4)
ACTIVATIONS = {
    "CELU": [{}, {"alpha": 2.0}], "ELU": [{}, {"alpha": 0.5}], "GELU": [{}, {"approximate": "tanh"}], "GLU": [{}],
    "Hardshrink": [{}, {"lambd": 1.0}], "Hardsigmoid": [{}], "Hardswish": [{}], "Hardtanh": [{}, {"min_val": -2.0, "max_val": 0.75}],
    "LeakyReLU": [{}, {"negative_slope": 0.2}], "LogSigmoid": [{}], "LogSoftmax": [{"dim": -1}, {"dim": 0}], "Mish": [{}],
    "PReLU": [{}, {"num_parameters": 4}], "ReLU": [{}], "ReLU6": [{}], "SELU": [{}], "SiLU": [{}], "Sigmoid": [{}],
    "Softmax": [{"dim": -1}, {"dim": 0}], "Softmin": [{"dim": -1}], "Softplus": [{}, {"beta": 2.0, "threshold": 5.0}], "Softshrink": [{}, {"lambd": 1.0}],
    "Softsign": [{}], "Tanh": [{}], "Tanhshrink": [{}], "Threshold": [{"threshold": 0.1, "value": 20.0}],
}  # fmt: skip
for kind, variants in ACTIVATIONS.items():
    for i, options in enumerate(variants):
        record(kind if i == 0 else f"{kind}_set", getattr(nn, kind)(**options), {"x": xs})

# Other layers, and losses
record("bilinear", nn.Bilinear(3, 5, 2), {"x": randn(4, 3), "y": randn(4, 5)})
bags = torch.tensor([[1, 2, 3], [4, 0, 4], [0, 0, 0], [5, 0, 2]])
record("bag_mean", nn.EmbeddingBag(6, 4), {"x": bags})
record("bag_sum", nn.EmbeddingBag(6, 4, mode="sum"), {"x": bags, "weights": randn(4, 3)}, lambda m, x, weights: m(x, per_sample_weights=weights))
record("bag_padded", nn.EmbeddingBag(6, 4, padding_idx=0), {"x": bags})
record("bag_max", nn.EmbeddingBag(6, 4, mode="max", padding_idx=0), {"x": bags})


def with_statistics(m, x):
    return m(x), m.running_mean.clone(), m.running_var.clone()


record("batch_norm", nn.BatchNorm1d(4), {"x": randn(5, 4)}, with_statistics)
record("batch_norm_lengths", nn.BatchNorm1d(4, momentum=0.3, eps=0.01), {"x": randn(3, 4, 2)}, with_statistics)
record("batch_norm_eval", nn.BatchNorm1d(4).eval(), {"x": randn(5, 4)}, with_statistics)

F = nn.functional
like = torch.tensor([1.0, -1.0, -1.0, 1.0])


class Loss(nn.Module):
    def forward(self, call):
        return call()


def loss(name, inputs, call):
    record(name, Loss(), inputs, lambda m, **given: m(lambda: call(**given)))


pair = {"x": randn(4, 3), "y": randn(4, 3)}
signs = like[:, None].expand(4, 3).contiguous()
loss("hinge_embedding", {"x": randn(4, 3)}, lambda x: F.hinge_embedding_loss(x, signs, margin=0.5, reduction="none"))
loss("margin_ranking", pair, lambda x, y: F.margin_ranking_loss(x, y, signs, margin=0.2))
loss("cosine_embedding", pair, lambda x, y: F.cosine_embedding_loss(x, y, like, margin=0.1, reduction="none"))
loss("triplet", {**pair, "z": randn(4, 3)}, lambda x, y, z: F.triplet_margin_loss(x, y, z, reduction="sum"))
loss("soft_margin", {"x": randn(4, 3)}, lambda x: F.soft_margin_loss(x, signs, reduction="none"))
loss("multi_margin", {"x": randn(4, 3)}, lambda x: F.multi_margin_loss(x, torch.tensor([0, 2, 1, 1]), margin=0.7, reduction="none"))

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, f"{folder}/layers.safetensors")
with open(f"{folder}/layers.json", "w") as f:
    json.dump({"torch": torch.__version__, "cases": index}, f, indent=1)
    f.write("\n")

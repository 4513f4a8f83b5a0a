"""Logits of the recorded decoders under other settings, from transformers: writes ../decoder_variants.json.

usage: python make_decoder_variants.py

Each variant takes the weights of ../models/<model>, changes fields of its config.json (`config`; null
removes a field), and runs `input_ids`, with `position_ids` where given. `later` tokens are read with the
cache of the earlier ones. Logits are those of all tokens, in order.
"""
import json, os, pathlib, tempfile, warnings

os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
import torch, transformers
from safetensors.torch import load_file

torch.set_num_threads(1)
GOLDENS = pathlib.Path(__file__).resolve().parent.parent
IDS = [[5, 7, 9, 11, 13, 2, 30, 41], [1, 2, 3, 4, 44, 9, 9, 17]]


def rope(**given):
    return {"rope_parameters": {"rope_theta": 10000.0, **given}}


LONG = dict(short_factor=[1.1, 1.2, 1.3, 1.4], long_factor=[2.0, 3.0, 4.0, 5.0])
VARIANTS = [
    ("llama", "linear", rope(rope_type="linear", factor=2.5), {}),
    ("llama", "dynamic, short", rope(rope_type="dynamic", factor=3.0), {}),
    ("llama", "dynamic, long", {**rope(rope_type="dynamic", factor=3.0), "max_position_embeddings": 4}, {}),
    ("llama", "dynamic, growing", {**rope(rope_type="dynamic", factor=3.0), "max_position_embeddings": 4}, {"later": 2}),
    ("llama", "yarn", rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=16), {}),
    ("llama", "yarn, all settings", rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=8.0, beta_slow=0.5, mscale=1.3, mscale_all_dim=0.7, truncate=False), {}),
    ("llama", "yarn, attention factor", rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, attention_factor=0.8), {}),
    ("llama", "longrope, short", rope(rope_type="longrope", original_max_position_embeddings=32, **LONG), {}),
    ("llama", "longrope, long", rope(rope_type="longrope", original_max_position_embeddings=6, **LONG), {}),
    ("llama", "llama3", rope(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64), {}),
    ("llama", "late positions", rope(rope_type="default"), {"position_ids": [[100, 1000, 5000, 20000, 3, 4, 5, 6]] * 2}),
    ("llama", "other activation", {"hidden_act": "gelu"}, {}),
    ("mistral", "no window", {"sliding_window": None}, {}),
    ("mistral", "window of the cache", {"sliding_window": 3}, {"later": 3}),
    ("mixtral", "window, one expert", {"sliding_window": 3, "num_experts_per_tok": 1}, {"later": 2}),
    ("mixtral", "three experts", {"num_experts_per_tok": 3}, {}),
    ("gemma", "legacy activation", {"hidden_act": "gelu"}, {}),
    ("gemma2", "no caps", {"attn_logit_softcapping": None, "final_logit_softcapping": None}, {}),
    ("gemma2", "default layer types", {"layer_types": None, "query_pre_attn_scalar": 20}, {"later": 2}),
    ("gemma3_text", "capped, stretched", {"final_logit_softcapping": 2.0, "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}, {}),
    ("gemma3_text", "pattern", {"layer_types": None, "_sliding_window_pattern": None, "sliding_window_pattern": 2}, {"later": 3}),
    ("gemma3_text", "legacy scaling", {"rope_parameters": None, "rope_scaling": {"rope_type": "linear", "factor": 4.0}, "rope_theta": 5e5, "rope_local_base_freq": 2e4}, {}),
    ("qwen2", "windows", {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1, "layer_types": None}, {"later": 2}),
    ("qwen3", "window in one layer", {"use_sliding_window": True, "sliding_window": 2, "layer_types": ["full_attention", "sliding_attention", "full_attention"]}, {}),
    ("olmo", "no clipping", {"clip_qkv": None}, {}),
    ("olmo2", "other base", rope(rope_type="default", rope_theta=500.0), {}),
    ("phi3", "part of each head", rope(rope_type="default", partial_rotary_factor=0.5), {}),
    ("phi3", "longrope, legacy fields", {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": {"type": "longrope", **LONG}, "original_max_position_embeddings": 6, "sliding_window": None}, {}),
    ("gpt_oss", "no stretching", rope(rope_type="default"), {"later": 2}),
    ("gpt_oss", "default layer types", {"layer_types": None, "sliding_window": 2, "num_experts_per_tok": 3}, {}),
    ("gpt_neox", "half of each head", {**rope(rope_type="default", partial_rotary_factor=0.5), "hidden_act": "relu"}, {"later": 2}),
    ("gpt_neox", "stretched", rope(rope_type="linear", factor=2.0, partial_rotary_factor=0.25), {}),
    ("gpt_neo", "local layers", {"attention_types": [[["local"], 3], [["global"], 1]], "attention_layers": None, "window_size": 2}, {"later": 3}),
    ("opt", "other activation", {"activation_function": "gelu"}, {"later": 2}),
    ("opt_post_norm", "norms before, none at the end", {"do_layer_norm_before": True, "_remove_final_layer_norm": True}, {"later": 2}),
    ("gptj", "whole heads", {"rotary_dim": 8}, {"later": 2}),
    ("gptj", "four heads, other activation", {"n_head": 4, "rotary_dim": 2, "activation_function": "relu"}, {}),
    ("phi", "a quarter of each head", rope(rope_type="default", partial_rotary_factor=0.25), {"later": 2}),
    ("phi_head_norms", "whole heads, legacy fields", {"rope_parameters": None, "rope_theta": 500.0, "partial_rotary_factor": 1.0}, {}),
    ("bloom", "normed stream", {"apply_residual_connection_post_layernorm": True}, {"later": 2}),
    ("bloom", "twelve heads", {"n_head": 12}, {"later": 3}),
    ("falcon", "new architecture, one norm", {"new_decoder_architecture": True, "num_kv_heads": 1, "num_ln_in_parallel_attn": 1}, {}),
    ("falcon_new", "stretched, legacy fields, other activation", {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": {"type": "linear", "factor": 2.0}, "activation": "relu"}, {}),
    ("falcon_alibi", "twelve heads", {"num_attention_heads": 12, "num_kv_heads": 12}, {"later": 3}),
    ("falcon_alibi", "rotated", {"alibi": False}, {"later": 2}),
    ("qwen3_moe", "shares of all experts", {"norm_topk_prob": False}, {"later": 2}),
    ("qwen3_moe", "window, one expert", {"use_sliding_window": True, "sliding_window": 3, "num_experts_per_tok": 1}, {"later": 2}),
    ("qwen3_moe", "experts by list", {"decoder_sparse_step": 1, "mlp_only_layers": [0]}, {}),
]


# What says the same otherwise, or acts on longer texts.
SAME = ("dynamic, short", "legacy activation", "new architecture, one norm", "experts by list")


def logits_of(model, changes, call):
    source = GOLDENS / "models" / model
    fields = json.loads((source / "config.json").read_text())
    fields.update(changes)
    fields = {k: v for k, v in fields.items() if v is not None or k not in changes or k in ("sliding_window", "clip_qkv", "attn_logit_softcapping", "final_logit_softcapping")}
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        (place / "config.json").write_text(json.dumps(fields))
        (place / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
        # Eager attention of transformers 5.18 adds Falcon's distances twice.
        kernel = "sdpa" if model == "falcon_alibi" else "eager"
        net = transformers.AutoModelForCausalLM.from_pretrained(place, attn_implementation=kernel).eval()
    ids = torch.tensor(IDS)
    given = {k: torch.tensor(v) for k, v in call.items() if k == "position_ids"}
    first = ids.shape[1] - call.get("later", 0)
    with torch.no_grad():
        out = net(ids[:, :first], use_cache=True, **given)
        parts = [out.logits]
        for i in range(first, ids.shape[1]):
            out = net(ids[:, i : i + 1], past_key_values=out.past_key_values, use_cache=True)
            parts.append(out.logits)
    return torch.cat(parts, 1)


recorded = []
for model, name, changes, call in VARIANTS:
    logits = logits_of(model, changes, call)
    plain = logits_of(model, {}, {k: v for k, v in call.items() if k == "later"})
    assert (logits - plain).abs().max() > 1e-3 or name in SAME, (model, name)
    recorded.append({"model": model, "name": name, "config": changes, **call, "logits": [[[float(f"{x:.7g}") for x in t] for t in row] for row in logits.tolist()]})
text = ",\n".join(json.dumps(r) for r in recorded)
(GOLDENS / "decoder_variants.json").write_text('{"input_ids": %s,\n"variants": [\n%s\n]}\n' % (json.dumps(IDS), text))
print(len(recorded), "variants")

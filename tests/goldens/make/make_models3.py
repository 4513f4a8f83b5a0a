"""third group: OPT, GPT-J, Phi, Bloom, Falcon and Qwen3-MoE, of which pyvene has no cards. usage: make_models3.py [name...]

Components are those of the cards here. Where transformers has no module for one (queries, keys and values of a fused
projection; Bloom's outputs, to which its modules add the residual stream), what is nearest is captured, and `view`
says what is taken of it.
"""
from make_models import *

R3 = {}
def reg3(f): R3[f.__name__] = f; return f
SIZES = dict(seq=6, vocab=50)

def view(say, f): f.__doc__ = say; return f
def heads(i, n):
    return view(f"part {i} of 3 of each of {n} heads", lambda t: t.unflatten(-1, (n, 3, -1))[..., i, :].flatten(-2))
def groups(i, n, kv):
    """n query heads in kv groups, each of which is followed by its key and its value"""
    cut = [slice(0, n // kv), slice(-2, -1), slice(-1, None)][i]
    return view(f"{'query key value'.split()[i]} of each of {kv} groups of {n // kv} query heads, a key and a value", lambda t: t.unflatten(-1, (kv, n // kv + 2, -1))[..., cut, :].flatten(-3))
def rows(b): return view(f"[{b} * sequence, width] as [{b}, sequence, width]", lambda t: t.unflatten(0, (b, -1)) if t.dim() == 2 else t)

def layer(path, attn, mlp, q, k, v, out, extra=None):
    """components that all have: `attn`, `mlp` are (input path, output path) within a layer"""
    at = lambda p: f"{path}[%s]" + (f".{p}" if p else "")
    spec = {"block_input": (at(""), "IN"), "block_output": (at(""), "OUT"), "attention_input": (at(attn[0]), "IN"), "attention_output": (at(attn[1]), "OUT"),
            "attention_value_output": (at(out), "IN")}
    if mlp: spec.update(mlp_input=(at(mlp[0]), "IN"), mlp_output=(at(mlp[1]), "OUT"), mlp_activation=(at(mlp[2]), "OUT"))
    for name, (p, *w) in (("query_output", q), ("key_output", k), ("value_output", v)): spec[name] = (at(p), "OUT", *w)
    spec.update({n: (at(p), *rest) for n, (p, *rest) in (extra or {}).items()})
    return spec

def _opt(seed, **kw):
    c = T.OPTConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, ffn_dim=20, num_attention_heads=4, max_position_embeddings=24, dropout=0., **kw, **COMMON)
    spec = layer("model.decoder.layers", ("self_attn", "self_attn"), None, ("self_attn.q_proj",), ("self_attn.k_proj",), ("self_attn.v_proj",), "self_attn.out_proj",
                 {"mlp_input": ("fc1", "IN", rows(2)), "mlp_activation": ("activation_fn", "OUT", rows(2)), "mlp_output": ("fc2", "OUT", rows(2))})
    return lm("opt", 0, lambda: T.OPTForCausalLM(c), 2, seed, card=False, spec=spec, by_mask=True, **SIZES)
@reg3
def opt(): return _opt(600)
@reg3
def opt_post_norm(): return _opt(610, do_layer_norm_before=False, word_embed_proj_dim=12)
@reg3
def gptj():
    c = T.GPTJConfig(vocab_size=50, n_positions=24, n_embd=16, n_layer=2, n_head=2, rotary_dim=4, n_inner=20, **COMMON)
    spec = layer("transformer.h", ("attn", "attn"), ("mlp", "mlp", "mlp.act"), ("attn.q_proj",), ("attn.k_proj",), ("attn.v_proj",), "attn.out_proj")
    return lm("gptj", 0, lambda: T.GPTJForCausalLM(c), 2, 620, card=False, spec=spec, **SIZES)
def _phi(seed, **kw):
    c = T.PhiConfig(vocab_size=50, hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64, **kw, **COMMON)
    spec = layer("model.layers", ("self_attn", "self_attn"), ("mlp", "mlp", "mlp.activation_fn"), ("self_attn.q_proj",), ("self_attn.k_proj",), ("self_attn.v_proj",), "self_attn.dense")
    return lm("phi", 0, lambda: T.PhiForCausalLM(c), 2, seed, card=False, spec=spec, **SIZES)
@reg3
def phi(): return _phi(630)
@reg3
def phi_head_norms(): return _phi(640, qk_layernorm=True, num_key_value_heads=1)
@reg3
def bloom():
    c = T.BloomConfig(vocab_size=50, hidden_size=12, n_layer=2, n_head=6, **COMMON)
    q, k, v = (("self_attention.query_key_value", heads(i, 6)) for i in range(3))
    spec = layer("transformer.h", ("self_attention", "self_attention.dense"), ("mlp", "mlp.dense_4h_to_h", "mlp.gelu_impl"), q, k, v, "self_attention.dense")
    return lm("bloom", 0, lambda: T.BloomForCausalLM(c), 2, 650, card=False, spec=spec, by_mask=True, use_pos=False, **SIZES)
def _falcon(seed, qkv, attn_implementation="eager", **kw):
    c = T.FalconConfig(vocab_size=50, num_hidden_layers=2, max_position_embeddings=64, **kw, **{**COMMON, "attn_implementation": attn_implementation})
    q, k, v = (("self_attention.query_key_value", qkv(i)) for i in range(3))
    spec = layer("transformer.h", ("self_attention", "self_attention"), ("mlp", "mlp.dense_4h_to_h", "mlp.act"), q, k, v, "self_attention.dense")
    alibi = bool(kw.get("alibi"))
    # Eager attention of transformers 5.18 adds the distances twice, in the mask and beside it; sdpa, the default, once.
    return lm("falcon", 0, lambda: T.FalconForCausalLM(c), 2, seed, card=False, spec=spec, by_mask=alibi, use_pos=not alibi, attn=not alibi, extra_meta={"attn_implementation": attn_implementation}, **SIZES)
@reg3
def falcon(): return _falcon(660, lambda i: groups(i, 4, 1), hidden_size=16, num_attention_heads=4, ffn_hidden_size=20)
@reg3
def falcon_new(): return _falcon(670, lambda i: groups(i, 4, 2), hidden_size=16, num_attention_heads=4, num_kv_heads=2, new_decoder_architecture=True, ffn_hidden_size=20)
@reg3
def falcon_alibi(): return _falcon(680, lambda i: heads(i, 6), "sdpa", hidden_size=12, num_attention_heads=6, alibi=True, multi_query=False, parallel_attn=False, bias=True, ffn_hidden_size=20)
@reg3
def qwen3_moe():
    c = T.Qwen3MoeConfig(vocab_size=50, hidden_size=16, intermediate_size=20, moe_intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=6, max_position_embeddings=64,
                         num_experts=4, num_experts_per_tok=2, norm_topk_prob=True, decoder_sparse_step=2, **COMMON)
    spec = layer("model.layers", ("self_attn", "self_attn"), None, ("self_attn.q_proj",), ("self_attn.k_proj",), ("self_attn.v_proj",), "self_attn.o_proj",
                 {"mlp_input": ("mlp", "IN"), "mlp_output": ("mlp", "OUT")})
    # The first layer has no experts, the second nothing else.
    spec["router_output"] = ("model.layers[1].mlp.gate", "OUT"); spec["mlp_activation"] = ("model.layers[0].mlp.act_fn", "OUT")
    m, ts, meta = lm("qwen3_moe", 0, lambda: T.Qwen3MoeForCausalLM(c), 2, 690, card=False, spec=spec, **SIZES)
    for name, l in (("router_output", 1), ("mlp_activation", 0)): ts[f"plain.act.{l}.{name}"] = ts.pop(f"plain.act.{name}")
    return m, ts, meta

def grads(m, ts, meta, out):
    """gradients of the language model's loss, with each expert apart as in files"""
    for p in m.parameters(): p.requires_grad_(True)
    x = ts["plain.input_ids"]; l = m(input_ids=x, labels=x).loss; l.backward(); gs = {"loss": l.detach()}
    for k, p in m.named_parameters():
        at, _, name = k.rpartition("experts.")
        for i, g in enumerate(p.grad if at else [p.grad]):
            parts = dict(zip(("gate_proj", "up_proj"), g.chunk(2))) if name == "gate_up_proj" else {name: g}
            for part, t in parts.items(): gs[f"grad.{at}experts.{i}.{part}.weight" if at else f"grad.{k}"] = t
    put(gs, out + "/grads.safetensors")
    meta["cases"]["grads"] = {"file": "grads.safetensors", "loss": "causal LM loss with labels = input_ids (shifted inside, mean over batch*(seq-1)); tied parameters have one gradient", "inputs": "as plain"}

if __name__ == "__main__":
    for n in sys.argv[1:] or R3:
        t0 = time.time(); m, ts, meta = R3[n]()
        out = f"{ROOT}/models/{n}"; os.makedirs(out, exist_ok=True)
        if n in ("gptj", "bloom", "qwen3_moe"): grads(m, ts, meta, out)
        sz = finish(m, out, ts, meta); g = meta["cases"]["greedy"]
        print(f"{n:16s} {sz/1024:5.0f} KB {time.time()-t0:5.1f}s keys={meta['checkpoint_keys']} tensors={len(ts)} margin={g['min_top1_top2_margin']:.3f} eq={g['equals_uncached']} dist={meta['distinct_generated']} absmax={meta['cases']['plain']['logits_absmax']:.2f} cached={meta['cases']['cached']} notes={meta['notes']}", flush=True)

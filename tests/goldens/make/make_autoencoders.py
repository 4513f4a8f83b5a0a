"""Sparse autoencoders as sae_lens (6.18 of October 2025, SAE_LENS_SRC) saves and reads them, and what it encodes and decodes."""
from common import *
import shutil, types
import numpy as np

# Of sae_lens' own dependencies only names are needed: hooks that do nothing, shapes in annotations, two reshapes.
def module(name, **members):
    made = types.ModuleType(name); made.__dict__.update(members); sys.modules[name] = made
    return made
class Root(nn.Module):
    def setup(self): pass
class Shapes:
    def __class_getitem__(cls, _): return cls
def rearrange(x, pattern, d_head=None):
    return x.flatten(-2) if pattern.startswith("... n_heads d_head ->") else x.unflatten(-1, (-1, d_head))
module("einops", rearrange=rearrange); module("jaxtyping", Float=Shapes); module("transformer_lens")
module("transformer_lens.hook_points", HookPoint=nn.Identity, HookedRootModule=Root)
module("requests")
import logging
SRC = os.environ["SAE_LENS_SRC"]
module("sae_lens", __path__=[SRC + "/sae_lens"], __version__="6.18.0", logger=logging.getLogger("sae_lens"))
from sae_lens.saes.sae import SAE
from sae_lens import saes, registry
from sae_lens.saes import transcoder as T
for name in ("Standard", "Gated", "JumpReLU", "TopK"):
    registry.register_sae_class(name.lower(), getattr(saes, name + "SAE"), getattr(saes, name + "SAEConfig"))
for name, kind in (("transcoder", "Transcoder"), ("skip_transcoder", "SkipTranscoder"), ("jumprelu_transcoder", "JumpReLUTranscoder")):
    registry.register_sae_class(name, getattr(T, kind), getattr(T, kind + "Config"))

D, W, HEADS = 8, 12, 2
OD = ROOT + "/autoencoders"
shutil.rmtree(OD, ignore_errors=True)
META = dict(model_name="gpt2", hook_name="blocks.1.hook_resid_pre", prepend_bos=True, context_size=16)
def drawn(shapes, seed):
    g = gen(seed)
    made = {k: torch.randn(s, generator=g) * .5 for k, s in shapes.items()}
    if "threshold" in made: made["threshold"] = made["threshold"].abs()
    return made
BASE = dict(W_enc=(D, W), b_enc=(W,), W_dec=(W, D), b_dec=(D,))
GATED = dict(W_enc=(D, W), b_gate=(W,), b_mag=(W,), r_mag=(W,), W_dec=(W, D), b_dec=(D,))
JUMP = dict(**BASE, threshold=(W,))
V6 = dict(d_in=D, d_sae=W, dtype="float32", device="cpu", apply_b_dec_to_input=True, normalize_activations="none",
          reshape_activations="none", metadata=dict(**META, sae_lens_version="6.18.0"))
OLD = dict(d_in=D, d_sae=W, dtype="float32", device="cpu", model_name="gpt2", hook_point="blocks.1.hook_mlp_out", prepend_bos=True)
def v6(architecture, hook=None, **more):
    cfg = {**V6, "architecture": architecture, **more}
    if hook: cfg["metadata"] = {**cfg["metadata"], "hook_name": hook}
    return cfg
OUT = 6
WIDE = dict(W_enc=(D, W), b_enc=(W,), W_dec=(W, OUT), b_dec=(OUT,))
TRANS = dict(d_out=OUT, apply_b_dec_to_input=False)
def trans(architecture):
    cfg = v6(architecture, hook="blocks.1.hook_mlp_in", **TRANS)
    cfg["metadata"]["hook_name_out"] = "blocks.1.hook_mlp_out"
    return cfg
CASES = {
    "standard": (v6("standard"), BASE),
    "standard_no_bias": (v6("standard", apply_b_dec_to_input=False), BASE),
    "standard_old": (OLD, BASE),
    "gated": (v6("gated"), GATED),
    "gated_old": ({**OLD, "architecture": "gated", "sae_lens_training_version": "3.0.0", "normalize_activations": False}, GATED),
    "jumprelu": (v6("jumprelu"), JUMP),
    "topk": (v6("topk", k=3), BASE),
    "topk_rescaled": (v6("topk", k=3, rescale_acts_by_decoder_norm=True), BASE),
    "topk_old": ({**OLD, "architecture": "topk", "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4}}, BASE),
    "layer_norm": (v6("standard", normalize_activations="layer_norm"), BASE),
    "constant_norm": (v6("jumprelu", normalize_activations="constant_norm_rescale"), JUMP),
    "hook_z": (v6("standard", hook="blocks.0.attn.hook_z", reshape_activations="hook_z"), BASE),
    "transcoder": (trans("transcoder"), WIDE),
    "skip_transcoder": (trans("skip_transcoder"), dict(**WIDE, W_skip=(OUT, D))),
    "jumprelu_transcoder": (trans("jumprelu_transcoder"), dict(**WIDE, threshold=(W,))),
}
expected = {"versions": {**VERS, "sae_lens": "6.18.0"}, "x": None, "cases": {}}
x = torch.randn(2, 3, D, generator=gen(1)) * 1.5
expected["x"] = x.tolist()
for i, (name, (cfg, shapes)) in enumerate(CASES.items()):
    put(drawn(shapes, 10 + i), f"{OD}/{name}/sae_weights.safetensors")
    jdump(cfg, f"{OD}/{name}/cfg.json")
    sae = SAE.load_from_disk(f"{OD}/{name}")
    given = x.unflatten(-1, (HEADS, -1)) if name == "hook_z" else x
    with torch.no_grad():
        z = sae.encode(given); out = sae.forward(given)
    if name == "hook_z": out = out.flatten(-2)
    assert 0 < (z > 0).float().mean() < 1, name
    expected["cases"][name] = {"latents": z.tolist(), "output": out.tolist()}
# Gemma Scope's, whose names and form sae_lens reads as jumprelu without the decoder's bias at the input.
own = drawn(JUMP, 50)
os.makedirs(f"{OD}/gemma_scope")
np.savez(f"{OD}/gemma_scope/params.npz", **{k: v.numpy() for k, v in own.items()})
pre = x @ own["W_enc"] + own["b_enc"]; z = torch.relu(pre) * (pre > own["threshold"])
expected["cases"]["gemma_scope"] = {"latents": z.tolist(), "output": (z @ own["W_dec"] + own["b_dec"]).tolist()}
# sparsify's (EleutherAI): z = the k largest of relu((x - b_dec) W^T + b), W_dec as [latents, width].
own = drawn(BASE, 51)
put({"encoder.weight": own["W_enc"].T, "encoder.bias": own["b_enc"], "W_dec": own["W_dec"], "b_dec": own["b_dec"]}, f"{OD}/sparsify/sae.safetensors")
jdump({"d_in": D, "expansion_factor": 32, "num_latents": W, "k": 3, "normalize_decoder": True, "signed": False}, f"{OD}/sparsify/cfg.json")
def topk(pre, k):
    top = pre.topk(k); return torch.zeros_like(pre).scatter(-1, top.indices, top.values)
z = topk(torch.relu((x - own["b_dec"]) @ own["W_enc"] + own["b_enc"]), 3)
expected["cases"]["sparsify"] = {"latents": z.tolist(), "output": (z @ own["W_dec"] + own["b_dec"]).tolist()}
# And its transcoders: nothing is taken from the input, and W_skip is [out, in] as torch's linear maps are.
own = drawn(dict(**BASE, W_skip=(D, D)), 53)
put({"encoder.weight": own["W_enc"].T, "encoder.bias": own["b_enc"], "W_dec": own["W_dec"], "b_dec": own["b_dec"], "W_skip": own["W_skip"]}, f"{OD}/sparsify_transcoder/layers.1.mlp/sae.safetensors")
jdump({"d_in": D, "expansion_factor": 32, "num_latents": W, "k": 3, "normalize_decoder": False, "signed": False, "skip_connection": True, "transcode": True}, f"{OD}/sparsify_transcoder/layers.1.mlp/cfg.json")
z = topk(torch.relu(x @ own["W_enc"] + own["b_enc"]), 3)
expected["cases"]["sparsify_transcoder/layers.1.mlp"] = {"latents": z.tolist(), "output": (z @ own["W_dec"] + own["b_dec"] + x @ own["W_skip"].T).tolist()}
# dictionary_learning's AutoEncoder: `bias` is the decoder's, taken from the input as well.
own = drawn(BASE, 52)
os.makedirs(f"{OD}/dictionary_learning")
torch.save({"bias": own["b_dec"], "encoder.weight": own["W_enc"].T.contiguous(), "encoder.bias": own["b_enc"], "decoder.weight": own["W_dec"].T.contiguous()}, f"{OD}/dictionary_learning/ae.pt")
jdump({"trainer": {"dict_class": "AutoEncoder", "activation_dim": D, "dict_size": W, "layer": 1, "lm_name": "openai-community/gpt2"}, "buffer": {"ctx_len": 16}}, f"{OD}/dictionary_learning/config.json")
z = torch.relu((x - own["b_dec"]) @ own["W_enc"] + own["b_enc"])
expected["cases"]["dictionary_learning"] = {"latents": z.tolist(), "output": (z @ own["W_dec"] + own["b_dec"]).tolist()}
with open(f"{OD}/expected.json", "w") as f: json.dump(expected, f)

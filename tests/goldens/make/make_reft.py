"""Directories that pyvene saved of pyreft's classes (stanfordnlp/pyreft dafd099, on PYTHONPATH), float32."""
from common import *
import contextlib, io, shutil
import pyvene as pv
import transformers as T
from pyvene.models.intervenable_base import IntervenableModel
from pyreft import interventions as R

OD = ROOT + "/reft"
shutil.rmtree(OD, ignore_errors=True)
def model(): return T.GPT2LMHeadModel.from_pretrained(ROOT + "/models/gpt2", attn_implementation="eager").eval()
BASE = dict(input_ids=torch.randint(0, 50, (2, 6), generator=gen(1)))
AT = {"sources->base": (None, [[[2, 5], [1, 3]]])}
for name, act in (("Loreft", None), ("Noreft", None), ("Consreft", None), ("Lobireft", None), ("Direft", "relu"), ("Nodireft", None)):
    torch.manual_seed(sum(map(ord, name)))
    made = getattr(R, name + "Intervention")(embed_dim=24, low_rank_dimension=3, dtype=torch.float32, add_bias=False, act_fn=act)
    with torch.no_grad():
        for p in made.parameters(): p.add_(torch.randn(p.shape, generator=gen(5)) * .3)
    rep = dict(layer=1, component="block_output", low_rank_dimension=3, intervention=made)
    with contextlib.redirect_stdout(io.StringIO()):
        reft = IntervenableModel(pv.IntervenableConfig([rep]), model())
        reft.save(f"{OD}/{name}")
    with torch.no_grad():
        _, out = reft(BASE, unit_locations=AT)
        h = torch.randn(2, 3, 24, generator=gen(7))
        put({"base.input_ids": BASE["input_ids"], "logits": out.logits, "h": h, "changed": made(h)}, f"{OD}/{name}/expected.safetensors")
    for f in sorted(os.listdir(f"{OD}/{name}")):
        if f.endswith(".bin"): print(name, {k: list(v.shape) for k, v in torch.load(f"{OD}/{name}/{f}").items()})

"""A tuned lens in the files of the library tuned-lens (config.json, params.pt), and what it makes of states."""
from common import *

OD = ROOT + "/tuned_lens"
D, LAYERS = 16, 3
os.makedirs(OD, exist_ok=True)
g = gen(60)
translators = nn.ModuleList([nn.Linear(D, D) for _ in range(LAYERS)])
for p in translators.parameters(): p.data = torch.randn(p.shape, generator=g) * .1
torch.save(translators.state_dict(), f"{OD}/params.pt")
jdump(dict(base_model_name_or_path="tiny", d_model=D, num_hidden_layers=LAYERS, bias=True, base_model_revision=None,
           unembed_hash=None, lens_type="linear_tuned_lens"), f"{OD}/config.json")
x = torch.randn(2, D, generator=g)
with torch.no_grad(): out = [(x + t(x)).tolist() for t in translators]
jdump({"versions": VERS, "states": x.tolist(), "translated": out}, f"{OD}/expected.json")

"""Records tests/goldens/edges.json: torch's results for operands at the edges.

Empty and 0-d tensors, integers and bools, NaN, promotion and negative dimensions. Needs torch.
Run: python make_edges.py <output file>
"""

import json
import sys

import torch
import torch.nn.functional as F

inf, nan = float("inf"), float("nan")


def t(values, dtype=None):
    return torch.tensor(values, dtype=None if dtype is None else getattr(torch, dtype))


def z(*shape, dtype="float32"):
    return torch.zeros(*shape, dtype=getattr(torch, dtype))


def lin(*shape, shift=0):
    """Numbers that are exact in every float type."""
    n = 1
    for size in shape:
        n *= size
    return (((torch.arange(n) + shift) * 37 % 19 - 9) / 8).reshape(shape)


f3 = t([1.5, nan, -3.0])
i3, i32, u8, i8, b3 = (
    t([-7, 0, 5]),
    t([-7, 0, 5], "int32"),
    t([250, 0, 5], "uint8"),
    t([-128, 0, 5], "int8"),
    t([True, False, True]),
)
m = t([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
mi = t([[3, 1, 2], [6, 5, 4]])

CASES = """
z(0).sum() | z(2, 0).sum(1) | z(0, 2).sum(0) | z(0).mean() | z(2, 0).mean(1) | z(0).prod()
z(0, dtype="int64").sum() | z(0).any() | z(0).all() | z(2, 0).any(1) | z(2, 0).all(1)
z(0).cumsum(0) | z(0).norm() | z(0, 3).amax(1) | z(0, 3).argmax(1) | z(0).std() | z(0).var()
torch.cat([z(0, 3), m]) | torch.cat([z(2, 0), m], 1) | z(2, 0) @ z(0, 3) | z(0, 2) @ z(2, 3)
F.linear(z(2, 0), z(3, 0), torch.ones(3)) | F.linear(z(0, 2), z(3, 2)) | z(2, 0).softmax(1)
z(0, 2).softmax(1) | z(0, 2).t() | z(0, 3).reshape(3, 0) | torch.ones(1, 3).expand(0, 3)
z(0).sort().values | m.topk(0).values | m[:, 3:] | m[5:] | torch.stack([z(0), z(0)])
F.layer_norm(z(0, 2), (2,)) | z(0, 2).flip(0) | F.pad(z(0), (1, 2), value=3.0) | z(3, 0).tril()
m.gather(1, z(2, 0, dtype="int64")) | m.index_select(0, z(0, dtype="int64")) | z(2, 0).logsumexp(1)
m.scatter(1, z(2, 0, dtype="int64"), z(2, 0)) | torch.einsum("ij,jk->ik", z(2, 0), z(0, 3))
t(2.0).sum(0) | t(2.0).softmax(0) | t(2.0).log_softmax(-1) | t(2.0).cumsum(0) | t(2.0).argmax()
t(2.0).max(0).values | t(2.0).max(0).indices | t(2.0).sort().values | t(2.0).topk(1).indices
t(2.0).flip(0) | t(2.0).flatten() | t(2.0).unsqueeze(-1) | t(2.0).logsumexp(0) | t(2.0).norm()
t(2.0).expand(2, 2) | t(2.0) + t(3.0) | t(2.0) * m | t(3) / t(2) | t(2.0).reshape(1, 1)
t(2.0).var(unbiased=False) | t(2.0).squeeze() | t(2.0).amax() | t(2.0).prod(0) | t(True).all()
i3 + 1 | i3 + 1.5 | i3 / 2 | i3 // 2 | i3 % 3 | i3 % -3 | torch.fmod(i3, 3)
torch.div(i3, 2, rounding_mode="trunc") | torch.div(i3, -2, rounding_mode="floor") | i3 ** 2
i3 ** 3 | i3 ** 0.5 | i3.abs() | i3.sign() | -i3 | i3.floor() | i3.round() | i3.trunc() | i3.relu()
i3.exp() | i3.sqrt() | i3.sigmoid() | i3.reciprocal() | i3.square() | i3.clamp(-1, 2) | i3.clamp(min=0.5)
i3.sum() | i3.prod() | i3.amax() | i3.argmin() | i3.cumsum(0) | i3.cumprod(0) | i3.max(0).values
i3.to(torch.bool) | i3.float() | i3.logsumexp(0) | i3 > 0
i3.sort(descending=True).values | i3 == i3.float() | i3.maximum(t([0, 1, 9])) | i3 @ i3 | mi @ mi.t()
i32 + 1 | i32 + i3 | i32 // 2 | i32 % 3 | i32.sum() | i32 / 2 | i32.cumsum(0) | i32 ** 2 | i32.amin()
u8 + 10 | u8 - 251 | u8 * 2 | -u8 | u8 // 3 | u8.sum() | u8.float() | u8 ** 2 | u8.argmax()
i8 - 1 | i8.abs() | i8 + i32 | -i8 | torch.where(i8 > 0, i8, -i8) | i8.clamp(min=0) | i8.sum()
b3 + b3 | b3 * b3 | b3 + 1 | b3 * 2.5 | b3.sum() | b3.float() | b3.any() | b3.all() | ~b3 | b3 & ~b3
torch.logical_or(b3, ~b3) | b3.cumsum(0) | b3.amax() | b3 < ~b3 | torch.where(b3, ~b3, b3) | b3.sort().values | b3.sign()
b3.maximum(~b3) | b3.exp() | b3 / 2 | b3.max(0).values | b3.prod() | b3.int() | b3 == 1
f3.max() | f3.min() | f3.amax(0) | f3.argmax() | f3.argmin() | f3.sort().values | f3.sort().indices
f3.sort(descending=True).values | f3.topk(2).values | f3.max(0).indices | f3.min(0).values | f3.relu()
f3.clamp(0, 1) | f3.round() | f3.maximum(t([0.0, 0.0, nan])) | f3.nansum() | f3.nanmean()
f3.isnan() | f3 == f3 | f3 != f3 | f3.to(torch.bool) | f3.nan_to_num() | f3.abs() | f3.cumsum(0)
f3.softmax(0) | f3.logsumexp(0) | f3.norm() | f3.sum() | f3.mean() | torch.where(f3 > 0, f3, 0.0)
t([-inf, -inf]).logsumexp(0) | t([inf, 1.0]).logsumexp(0) | t([inf, -inf, nan]).isfinite()
t([inf, -inf, nan, 2.0]).nan_to_num(nan=1.0, posinf=2.0, neginf=-2.0) | t([1.0, 0.0]) / 0 | t([-1.0]).sqrt()
t([0.0, -0.0]).reciprocal() | t([-2.0, 0.0, 2.0]) ** 3 | t([-2.0]) ** 0.5 | t([0.0]) ** 0 | t([-8.0]) ** (1 / 3)
t([5.5, -5.5]) % 2 | t([5.5, -5.5]) % -2 | torch.fmod(t([5.5, -5.5]), -2) | t([5.5, -5.5]) // 2
t([0.5, 1.5, 2.5, -0.5, -1.5]).round() | t([1.25, 1.35]).round(decimals=1) | t([-1.7, 1.7]).trunc()
t([-1.7, 1.7]).to(torch.int64) | t([-1.7, 1.7]).frac() | t([1.0, 2.0], "float64") + t([1.0, 2.0])
t([1.0], "float64") + t(2.0) | t([1.0]) + t(2.0, "float64") | t([1], "int32") + t(2) | t([1]) + t(2.5)
t([1.0], "float16") + 1.5 | t([1.0], "float16") + t([1.0]) | t([True]) + t(1.5) | t([1]) * t([True])
torch.cat([t([1]), t([1.5])]) | torch.cat([t([True]), t([2], "uint8")]) | torch.where(t([True]), t([1]), t(2.5))
m.sum(-1) | m.mean((-1, -2)) | m.argmax(-1) | m.amin((0, -1), keepdim=True) | m.transpose(-1, 0) | m.cumsum(-2)
m.select(-1, -1) | m.flip(-1) | m.roll(-1, -1) | m.unsqueeze(-2) | m.squeeze(-1) | m.movedim(-1, 0) | m.narrow(-1, -2, 2)
m[..., -2:] | m[:, ::2] | m[-1:, 1:] | m.unflatten(-1, (3, 1)) | m.flatten(-2) | m.repeat(2, 1) | m.tile((2,))
m.repeat_interleave(2) | m.repeat_interleave(2, -1) | m.roll(1) | m.diagonal(-1) | m.diagonal(3) | m.diff() | m.diff(n=2)
torch.diag(t([1.0, 2.0]), 1) | torch.diag(t([1.0, 2.0]), -1) | torch.diag(m) | torch.diag_embed(m) | torch.diag_embed(m, -1)
m.median() | m.median(-1).values | m.median(-1).indices | m.kthvalue(2, 0).values | m.quantile(0.3) | m.quantile(0.5, dim=1)
m.norm(1) | m.norm(3, dim=1) | m.norm(0.5, dim=0) | m.norm(inf) | m.norm(-inf, dim=1) | m.norm(0, dim=1) | m.trace()
m.logaddexp(t(2.0)) | t([inf]).logaddexp(t([inf])) | torch.hypot(t([3e30, 0.0]), t([4e30, 0.0])) | torch.hypot(t([inf]), t([nan]))
torch.xlogy(t([0.0, 0.0, 2.0]), t([0.0, nan, 3.0])) | t([0.2, 0.9]).logit() | t([0.0, 1.0]).logit(0.1) | t([2.0, -3.0]).exp2()
t([-1.0, -0.5, 0.0, 1.0, 1.5]).asin() | t([-1.0, -0.5, 0.0, 1.0, 1.5]).acos() | t([-1e-6, 0.0, 30.0]).asinh()
t([1.0, 1.5, 1e4, 0.5]).acosh() | t([-0.999, 1e-6, 0.0, 1.0]).atanh() | t([0.3, -1.2]).tan() | t([1e-9, -1e-5, 3.0]).expm1()
t([1e-9, -1.0, inf, -2.0]).log1p() | t([-1.0, 1.0, 0.0, -0.0]).atan2(t([0.0, 0.0, -1.0, -1.0])) | t([4.0, 9.0]).rsqrt()
t([8.0]).log2() | t([1000.0]).log10() | t([5.0, -5.0]).erfc() | m.lerp(m * 2, 0.25) | m.addcmul(m, m, value=2) | m.addcdiv(m, m + 1)
torch.isclose(t([1.0, nan, inf]), t([1.000001, nan, inf])) | torch.isclose(t([nan]), t([nan]), equal_nan=True)
m.count_nonzero() | (m - 3).count_nonzero(1) | m.unique() | mi.unique(return_counts=True)[1] | torch.unique(t([nan, 1.0, nan]))
torch.nonzero(m > 2) | m.masked_select(m > 2) | m.masked_select(t([True, False, True])) | torch.nonzero(t(3.0)) | m.take(t([0, -1]))
torch.bincount(t([1, 1, 3]), weights=t([0.5, 1.0, 2.0])) | torch.bincount(z(0, dtype="int64"), minlength=2)
torch.searchsorted(t([1.0, 2.0, 2.0, 3.0]), t([[2.0, 0.0], [9.0, nan]])) | torch.searchsorted(t([1, 2, 2]), t([2, 3]), right=True)
torch.searchsorted(t([[1.0, 2.0], [3.0, 4.0]]), t([[1.5], [9.0]])) | torch.outer(t([1, 2]), t([3, 4])) | torch.cdist(m, m, p=1)
torch.linalg.cross(t([1.0, 2.0, 3.0]), t([4.0, 5.0, 6.0])) | F.one_hot(t([[0, 2]]), 3) | m.mv(t([1.0, 0.0, 2.0]))
t([1.0, 2.0]).dot(t([3.0, 4.0])) | F.pad(m, (-1, 2)) | F.pad(m, (0, 0, 1, 0), value=-1.0) | F.pad(mi, (1, 1)) | m.index_fill(1, t([-1]), 0.0)
m.index_add(1, t([0, 0, 2]), m) | mi.scatter_add(1, t([[0, 0], [2, 1]]), t([[1, 2], [3, 4]])) | m.scatter(0, t([[1, 0, 1]]), 9.0)
m.scatter_reduce(1, t([[0, 0], [1, 1]]), t([[9.0, 2.0], [3.0, 4.0]]), "amin") | m.scatter_reduce(1, t([[0, 0], [1, 1]]), t([[9.0, 2.0], [3.0, 4.0]]), "prod")
m.index_put((t([0, 1]), t([-1, 0])), t(7.0)) | m[t([1, 0, 1])] | m[:, t([2, 0])] | m[t([[0], [1]]), t([0, 2])] | m.index_copy(1, t([2, 0]), m[:, :2])
F.interpolate(lin(1, 2, 3, 4), size=(5, 3), mode="bicubic") | F.interpolate(lin(1, 2, 3, 4), scale_factor=1.6, mode="bicubic", align_corners=True)
F.interpolate(lin(1, 2, 3, 4), scale_factor=(2, 1.5), mode="bilinear") | F.interpolate(lin(1, 2, 3, 4), size=(6, 1), mode="bilinear", align_corners=True)
F.interpolate(lin(1, 2, 5), size=3, mode="linear") | F.interpolate(lin(1, 2, 5), size=8) | F.interpolate(lin(1, 2, 5), scale_factor=0.7)
F.interpolate(lin(1, 2, 5), size=8, mode="nearest-exact") | F.interpolate(lin(1, 2, 5, 4), size=(2, 3), mode="area") | F.interpolate(lin(1, 1, 2, 2, 2), scale_factor=2)
F.avg_pool2d(lin(1, 2, 5, 6), (3, 2), (2, 1), (1, 0)) | F.avg_pool2d(lin(2, 5, 6), 3, 2, 1, True) | F.avg_pool2d(lin(1, 2, 5, 6), 3, 2, 1, True, False)
F.avg_pool1d(lin(1, 2, 9), 4, 3, 2, True) | F.max_pool1d(lin(1, 2, 9), 4, 3, 2, 1, True) | F.max_pool2d(lin(1, 2, 6, 5), (2, 3), (1, 2), (0, 1), (2, 1))
F.max_pool2d(lin(2, 7, 7), 3, 2, 0, 1, True) | F.adaptive_avg_pool1d(lin(1, 2, 7), 3) | F.adaptive_avg_pool2d(lin(2, 3, 4), (5, 1))
F.conv1d(lin(1, 2, 7), lin(3, 2, 4), padding="same", dilation=2) | F.conv2d(lin(2, 5, 5), lin(3, 2, 2, 3), lin(3), padding="same") | F.conv3d(lin(1, 1, 3, 4, 5), lin(2, 1, 2, 2, 2))
F.conv_transpose1d(lin(1, 4, 5), lin(4, 1, 3), stride=3, padding=1, output_padding=2, groups=2) | F.prelu(lin(2, 3, 2), lin(3)) | F.prelu(lin(4), t([0.2]))
F.softshrink(lin(7), 0.3) | F.hardshrink(lin(7), 0.3) | F.tanhshrink(lin(7)) | F.hardswish(lin(7) * 4) | F.hardsigmoid(lin(7) * 4) | F.relu6(lin(7) * 8) | F.threshold(lin(7), 0.2, -1.0)
F.celu(lin(7), 0.7) | F.softsign(lin(7)) | F.softplus(lin(7) * 20, 2, 5) | F.softmin(lin(2, 3), 1) | F.leaky_relu(lin(7), 0.2) | F.hardtanh(lin(7), -0.5, 0.25) | F.elu(lin(7), 0.5)
F.huber_loss(lin(5), lin(5, shift=2), delta=0.5) | F.smooth_l1_loss(lin(5), lin(5, shift=2), beta=0.5, reduction="none") | F.smooth_l1_loss(lin(5), lin(5, shift=2), beta=0.0)
F.cross_entropy(lin(4, 3), t([0, 2, 2, 1]), weight=t([0.5, 1.0, 2.0]), ignore_index=2, label_smoothing=0.3) | F.cross_entropy(lin(3), t(2)) | F.cross_entropy(lin(2, 3), t([-100, -100]))
F.cross_entropy(lin(4, 3), t([0, 2, 2, 1]), weight=t([0.5, 1.0, 2.0]), label_smoothing=0.3, reduction="none") | F.cross_entropy(lin(2, 3, 2), lin(2, 3, 2).softmax(1), weight=t([0.5, 1.0, 2.0]))
F.nll_loss(lin(2, 3, 2), t([[0, 1], [2, 0]]), weight=t([0.5, 1.0, 2.0])) | F.nll_loss(lin(2, 3, 2), t([[0, 1], [2, 0]]), reduction="none") | F.cross_entropy(t([[-inf, 1.0], [2.0, 1.0]]), t([-100, 0]))
F.binary_cross_entropy(t([0.0, 1.0, 0.3]), t([0.0, 0.0, 1.0]), weight=t([1.0, 2.0, 3.0]), reduction="none") | F.binary_cross_entropy_with_logits(lin(3) * 80, t([0.0, 1.0, 0.5]), weight=t([1.0, 2.0, 3.0]))
F.kl_div(lin(2, 3), t([[0.0, 0.5, 0.5], [0.2, 0.2, 0.6]]), reduction="sum") | F.normalize(lin(2, 3), 1.0, 1) | F.normalize(z(1, 3)) | F.pairwise_distance(lin(2, 3), lin(2, 3, shift=1), 1.0)
F.cosine_similarity(z(1, 3), lin(1, 3)) | F.group_norm(lin(2, 4, 3), 2, eps=0.1) | F.instance_norm(lin(2, 2, 3), weight=lin(2), bias=lin(2)) | F.bilinear(lin(2, 3), lin(2, 4), lin(2, 3, 4), lin(2))
F.linear(lin(3), lin(3)) | F.linear(mi, mi) | F.rms_norm(lin(2, 3, 2), (3, 2), lin(3, 2), 0.1) | F.layer_norm(lin(2, 3), (3,), None, lin(3), 0.1)
F.scaled_dot_product_attention(lin(1, 2, 3), lin(1, 2, 3), lin(1, 2, 3), attn_mask=t([[True, False], [False, False]])) | F.scaled_dot_product_attention(lin(1, 3, 2), lin(1, 4, 2), lin(1, 4, 2), is_causal=True)
F.scaled_dot_product_attention(lin(1, 2, 3), lin(1, 2, 3), lin(1, 2, 3), attn_mask=t([[0.5, -inf], [-inf, -inf]])) | F.glu(lin(2, 4)) | F.pad(lin(1, 3, 4), (3, 0, 2, 1), mode="reflect")
F.pad(lin(1, 3, 4), (2, -1), mode="replicate") | F.gelu(lin(7) * 4) | F.gelu(lin(7) * 4, approximate="tanh") | F.mish(lin(7) * 30) | F.logsigmoid(lin(7) * 80) | F.silu(lin(7) * 80)
torch.einsum("ii", lin(3, 3)) | torch.einsum("...ij->...ji", lin(2, 2, 3)) | torch.einsum("b...,b->...", lin(2, 3, 2), lin(2)) | torch.einsum("i,i,i->i", lin(3), lin(3), lin(3)) | torch.einsum("ab,cd", lin(2, 2), lin(1, 2))
torch.einsum("aab,bc,c->ac", lin(2, 2, 3), lin(3, 2), lin(2)) | torch.einsum("i...,...j->ij...", lin(2, 1, 3), lin(2, 3, 4)) | torch.einsum("ij,ij->", mi, mi) | torch.einsum(" a b , b -> a ", lin(2, 3), lin(3))
""".replace("\n", " | ").strip(" |").split(" | ")


def number(v):
    if isinstance(v, bool):
        return int(v)
    return v if v == v and v not in (inf, -inf) else repr(v)


records = {}
for expression in CASES:
    y = eval(expression)
    records[expression] = dict(
        dtype=str(y.dtype)[6:],
        shape=list(y.shape),
        values=[number(v) for v in y.reshape(-1).tolist()],
    )
with open(sys.argv[1], "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in records.items()) + "\n}\n")

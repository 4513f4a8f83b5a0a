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

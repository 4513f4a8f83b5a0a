"""Records tests/goldens/print.json: how torch prints tensors, in this library's spelling.

Differences in spelling: true and false, sizes in square brackets, dtypes without "torch.",
requiresGrad. Needs torch. Run: python make_print.py <output file>
"""

import json
import re
import sys

import torch

inf, nan = float("inf"), float("nan")
g = torch.Generator().manual_seed(5)


def rand(*shape, scale=1.0, dtype=torch.float32):
    return (torch.randn(*shape, generator=g, dtype=torch.float64) * scale).to(dtype)


CASES = {
    "0-d": torch.tensor(3.25),
    "0-d whole": torch.tensor(3.0),
    "0-d int": torch.tensor(-3),
    "0-d bool": torch.tensor(True),
    "0-d nan": torch.tensor(nan),
    "0-d large": torch.tensor(123456789.0),
    "0-d small": torch.tensor(1.5e-7),
    "1-d": torch.tensor([1.5, 2.25, -3.125]),
    "1-d whole": torch.tensor([1.0, 2.0, 3.0]),
    "1-d whole negative": torch.tensor([-1.0, 20.0, -300.0]),
    "1-d zeros": torch.zeros(4),
    "1-d wrapped": torch.arange(40) / 8,
    "1-d int": torch.tensor([1, -20, 300]),
    "1-d int wrapped": torch.arange(100, 140),
    "1-d bool": torch.tensor([True, False]),
    "int64 beyond doubles": torch.tensor([9007199254740993, -1]),
    "int32": torch.tensor([1, 2], dtype=torch.int32),
    "uint8": torch.tensor([[1, 255]], dtype=torch.uint8),
    "float64": torch.tensor([0.1, 0.2], dtype=torch.float64),
    "float16": torch.tensor([0.1, 65504], dtype=torch.float16),
    "bfloat16": torch.tensor([0.1, 2.5], dtype=torch.bfloat16),
    "2-d": rand(2, 3),
    "2-d wide": rand(2, 12),
    "2-d int": torch.tensor([[1, 2], [30, -4]]),
    "2-d bool": torch.tensor([[True, False], [False, True]]),
    "3-d": rand(2, 2, 3),
    "4-d": rand(2, 1, 2, 2),
    "large": rand(40, 50),
    "large 1-d": torch.arange(2000.0),
    "large 1-d int": torch.arange(2000),
    "large 3-d": rand(12, 10, 20),
    "large narrow": rand(300, 4),
    "large with short rows": rand(2, 600),
    "scientific small": torch.tensor([1e-5, 1.0]),
    "scientific spread": torch.tensor([0.5, 1000.5]),
    "scientific large": torch.tensor([1.5e9, -2.0]),
    "scientific whole": torch.tensor([1.0, 1e9]),
    "scientific whole spread": torch.tensor([1.0, 2000.0]),
    "scientific with zero": torch.tensor([0.0, 1e-6, -1e3]),
    "scientific exponents": torch.tensor([1e-30, 1e30]),
    "scientific double": torch.tensor([1e-200, 1e200], dtype=torch.float64),
    "edge of small": torch.tensor([1e-4, 0.05]),
    "edge of spread": torch.tensor([1.0, 1000.0]),
    "nan and inf": torch.tensor([nan, inf, -inf, 1.0]),
    "nan and fractions": torch.tensor([nan, 0.5, -inf]),
    "only nan": torch.tensor([nan, nan]),
    "only inf": torch.tensor([-inf, inf]),
    "inf in rows": torch.tensor([[-inf, 0.0], [1.25, 2.0]]),
    "negative zero": torch.tensor([-0.0, 1.0]),
    "negative zero with fractions": torch.tensor([-0.0, 0.5]),
    "rounds to zero": torch.tensor([0.00012, 0.1]),
    "ties": torch.tensor([0.03125, 0.09375, 0.15625]),
    "scientific ties": torch.tensor([100005.0, 100015.0, 1.0]),
    "empty": torch.tensor([]),
    "empty 2-d": torch.zeros(2, 0),
    "empty int": torch.zeros(0, dtype=torch.int64),
    "empty int32 2-d": torch.zeros(0, 3, dtype=torch.int32),
    "size-1 dimensions": torch.tensor([[[0.5]]]),
    "requires grad": torch.tensor([0.5], requires_grad=True),
    "requires grad wrapped": torch.rand(7, generator=g).requires_grad_(True),
    "suffix on a new line": torch.tensor([-0.123, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], dtype=torch.float64),
}
for i in range(12):
    shape = [[7], [3, 5], [2, 3, 4], [1, 9]][i % 4]
    CASES[f"random {i}"] = rand(*shape, scale=10.0 ** (i % 6 - 3))


def spelled(text):
    text = text.replace("True", "true").replace("False", "false")
    text = text.replace("requires_grad=true", "requiresGrad=true").replace("torch.", "")
    return re.sub(r"size=\(([^)]*?),?\)", r"size=[\1]", text)


def number(x):
    return x if isinstance(x, int) and abs(x) < 2**53 else (repr(x) if x != x or x in (inf, -inf) or isinstance(x, int) or str(x) == "-0.0" else x)


records = {
    name: dict(
        dtype=str(t.dtype)[6:],
        shape=list(t.shape),
        requiresGrad=t.requires_grad,
        values=[number(int(v) if t.dtype == torch.bool else v) for v in t.detach().reshape(-1).tolist()],
        text=spelled(repr(t)),
    )
    for name, t in CASES.items()
}
with open(sys.argv[1], "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in records.items()) + "\n}\n")

"""Weights as the methods that quantize keep them, and the numbers that they stand for.

NumPy alone, from the formats' own descriptions: OCP's FP8 and Microscaling Formats, bitsandbytes'
`QuantState`, compressed-tensors' compressors, AutoGPTQ's and AutoAWQ's packing. Every file holds the
tensors of one matrix `w.weight` [32, 64] (MXFP4: experts), and `expected`, in float32.

python make_quantization.py DIRECTORY
"""
import json, os, struct, sys
import numpy as np

OUT = sys.argv[1]
ROWS, COLUMNS = 32, 64
rng = np.random.default_rng(7)
W = (rng.standard_normal((ROWS, COLUMNS)) * 0.1).astype(np.float32)

NAMES = {"float32": "F32", "float16": "F16", "uint8": "U8", "int8": "I8", "int32": "I32", "int64": "I64"}

class Typed:
    """An array of an element type that NumPy has not."""
    def __init__(self, kind, array): self.kind, self.array = kind, np.ascontiguousarray(array)

def put(name, tensors):
    header, data = {}, b""
    for key, value in tensors.items():
        kind, array = (value.kind, value.array) if isinstance(value, Typed) else (NAMES[value.dtype.name], np.ascontiguousarray(value))
        raw = array.tobytes()
        header[key] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)

def bf16_bits(x):
    word = np.asarray(x, np.float32).view(np.uint32)
    return ((word + 0x7FFF + ((word >> 16) & 1)) >> 16).astype(np.uint16)

def bf16(x):
    """Rounded to bfloat16, as float32."""
    return (bf16_bits(x).astype(np.uint32) << 16).view(np.float32)

def minifloat(bits, exponent_bits, fraction_bits, bias):
    sign = -1.0 if bits >> (exponent_bits + fraction_bits) else 1.0
    exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1)
    fraction = bits & ((1 << fraction_bits) - 1)
    if exponent == 0: return sign * fraction * 2.0 ** (1 - bias - fraction_bits)
    return sign * (1 + fraction / (1 << fraction_bits)) * 2.0 ** (exponent - bias)

E4M3 = np.array([np.nan if b & 0x7F == 0x7F else minifloat(b, 4, 3, 7) for b in range(256)], np.float32)
E2M1 = np.array([minifloat(b, 2, 1, 1) for b in range(16)], np.float32)

def nearest(table, x):
    """Codes of the nearest numbers of a table."""
    finite = np.where(np.isnan(table), np.inf, table)
    return np.abs(x[..., None] - finite).argmin(-1).astype(np.uint8)

def blocks(x, size):
    return x.reshape(-1, size)

# FP8, a scale for each block of 16 x 32, for each row, and one for all.
def fp8(name, height, width, scale_name, squeeze=False, scale_bf16=False):
    tiles = W.reshape(ROWS // height, height, COLUMNS // width, width)
    scale = (np.abs(tiles).max((1, 3)) / 448).astype(np.float32)
    if scale_bf16: scale = bf16(scale)
    codes = nearest(E4M3, tiles / scale[:, None, :, None]).reshape(ROWS, COLUMNS)
    values = E4M3[codes] * np.repeat(np.repeat(scale, height, 0), width, 1)
    kept = scale.reshape(()) if squeeze else scale
    put(name, {
        "w.weight": Typed("F8_E4M3", codes),
        scale_name: Typed("BF16", bf16_bits(kept)) if scale_bf16 else kept,
        "expected": (bf16(values) if scale_bf16 else values).astype(np.float32),
    })
fp8("fp8-blocks", 16, 32, "w.weight_scale_inv")
fp8("fp8-one-scale", ROWS, COLUMNS, "w.weight_scale_inv", squeeze=True)
fp8("fbgemm-fp8", 1, COLUMNS, "w.weight_scale")
fp8("compressed-float", 1, COLUMNS, "w.weight_scale", scale_bf16=True)

# MXFP4: 2 experts [out, in], blocks of 32 along `in`.
experts = (rng.standard_normal((2, ROWS, COLUMNS)) * 0.1).astype(np.float32)
grouped = experts.reshape(2, ROWS, COLUMNS // 32, 32)
exponent = np.floor(np.log2(np.abs(grouped).max(-1))).astype(int) - 2
codes = nearest(E2M1, grouped / (2.0 ** exponent)[..., None])
values = (E2M1[codes] * (2.0 ** exponent)[..., None]).astype(np.float32).reshape(2, ROWS, COLUMNS)
put("mxfp4", {
    "w_blocks": (codes[..., 0::2] | (codes[..., 1::2] << 4)).astype(np.uint8),
    "w_scales": (exponent + 127).astype(np.uint8),
    "expected": values.transpose(0, 2, 1),
})

# NVFP4: blocks of 16 with an FP8 scale, and one scale for all.
overall = np.float32(448 * 6 / np.abs(W).max())
grouped = W.reshape(ROWS, COLUMNS // 16, 16)
scale_codes = nearest(E4M3, np.abs(grouped).max(-1) / 6 * overall)
scale = (E4M3[scale_codes] / overall).astype(np.float32)
codes = nearest(E2M1, grouped / scale[..., None])
put("compressed-nvfp4", {
    "w.weight_packed": (codes[..., 0::2] | (codes[..., 1::2] << 4)).astype(np.uint8).reshape(ROWS, COLUMNS // 2),
    "w.weight_scale": Typed("F8_E4M3", scale_codes),
    "w.weight_global_scale": np.array([overall], np.float32),
    "expected": (E2M1[codes] * scale[..., None]).astype(np.float32).reshape(ROWS, COLUMNS),
})

# bitsandbytes, 4 bits: 64 numbers a block, the first code in the upper half of a byte.
NF4 = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                0.7229568362236023, 1.0], np.float32)
FP4 = np.array([0, 0.0052083333, 0.6666667, 1, 0.33333333, 0.5, 0.16666667, 0.25,
                0, -0.0052083333, -0.6666667, -1, -0.33333333, -0.5, -0.16666667, -0.25], np.float32)

def four_bits(name, kind, code, dtype, nested):
    flat = blocks(W, 64)
    absmax = np.abs(flat).max(1).astype(np.float32)
    state = {"quant_type": kind, "blocksize": 64, "dtype": dtype, "shape": [ROWS, COLUMNS]}
    tensors = {}
    if nested:
        offset = np.float32(absmax.mean())
        outer_code = np.linspace(-1, 1, 256).astype(np.float32)
        centred = absmax - offset
        outer = np.array([np.abs(part).max() for part in np.array_split(centred, -(-len(centred) // 16))], np.float32)
        largest = np.repeat(outer, 16)[: len(centred)]
        inner = nearest(outer_code, centred / largest)
        absmax = (outer_code[inner] * largest).astype(np.float32) + offset
        state |= {"nested_blocksize": 16, "nested_dtype": "float32", "nested_offset": float(offset)}
        tensors |= {"w.weight.absmax": inner, "w.weight.nested_absmax": outer, "w.weight.nested_quant_map": outer_code}
    else:
        tensors |= {"w.weight.absmax": absmax}
    codes = nearest(code, flat / absmax[:, None]).reshape(-1)
    values = (code[codes] * np.repeat(absmax, 64)).reshape(ROWS, COLUMNS)
    rounded = values.astype(np.float16).astype(np.float32) if dtype == "float16" else bf16(values)
    put(name, tensors | {
        "w.weight": ((codes[0::2] << 4) | codes[1::2]).astype(np.uint8)[:, None],
        "w.weight.quant_map": code,
        f"w.weight.quant_state.bitsandbytes__{kind}": np.frombuffer(json.dumps(state).encode(), np.uint8),
        "expected": rounded,
    })
four_bits("bnb-nf4", "nf4", NF4, "bfloat16", nested=False)
four_bits("bnb-nf4-nested", "nf4", NF4, "float16", nested=True)
four_bits("bnb-fp4", "fp4", FP4, "float16", nested=False)

# bitsandbytes, 8 bits: the largest of each row.
largest = np.abs(W).max(1).astype(np.float32)
codes = np.round(W / largest[:, None] * 127).astype(np.int8)
put("bnb-int8", {
    "w.weight": codes, "w.SCB": largest, "w.weight_format": np.array(0, np.uint8),
    "expected": (codes.astype(np.float32) * largest[:, None]) * np.float32(7.874015718698502e-3),
})

def pack(codes, bits):
    """Words of codes along the last axis, the first in the lowest bits."""
    each = 32 // bits
    words = codes.astype(np.uint32).reshape(*codes.shape[:-1], -1, each)
    return (words << (np.arange(each, dtype=np.uint32) * bits)).sum(-1, dtype=np.uint32).view(np.int32)

# compressed-tensors: 4 bits in groups of 32, symmetric; and with zero points and an order of columns.
def compressed_int4(name, order=None, symmetric=True):
    groups = COLUMNS // 32
    of = np.arange(COLUMNS) // 32 if order is None else order
    members = [W[:, of == g] for g in range(groups)]
    if symmetric:
        scale = np.stack([np.abs(m).max(1) / 7.5 for m in members], 1)
        zero = np.zeros((ROWS, groups))
    else:
        low, high = np.stack([m.min(1) for m in members], 1), np.stack([m.max(1) for m in members], 1)
        scale = (high - low) / 15
        zero = np.clip(np.round(-8 - low / scale), -8, 7)
    scale = scale.astype(np.float32) if order is not None else bf16(scale.astype(np.float32))
    codes = np.clip(np.round(W / scale[:, of] + zero[:, of]), -8, 7)
    values = ((codes - zero[:, of]).astype(np.float32) * scale[:, of]).astype(np.float32)
    tensors = {
        "w.weight_packed": pack(codes + 8, 4),
        "w.weight_scale": scale if order is not None else Typed("BF16", bf16_bits(scale)),
        "w.weight_shape": np.array([ROWS, COLUMNS], np.int64),
        "expected": values if order is not None else bf16(values),
    }
    if not symmetric: tensors["w.weight_zero_point"] = pack((zero + 8).T, 4).T
    if order is not None: tensors["w.weight_g_idx"] = order.astype(np.int32)
    put(name, tensors)
compressed_int4("compressed-int4")
compressed_int4("compressed-int4-zeros", order=rng.permutation(np.arange(COLUMNS) // 32), symmetric=False)

# compressed-tensors: 8 bits, a scale for each row.
scale = (np.abs(W).max(1, keepdims=True) / 127).astype(np.float32)
codes = np.clip(np.round(W / scale), -128, 127).astype(np.int8)
put("compressed-int8", {"w.weight": codes, "w.weight_scale": scale, "expected": codes.astype(np.float32) * scale})

# GPTQ and AWQ: groups of 32 inputs, zero points of every group and output, scales in float16.
def grouped_codes(bits):
    levels = 2 ** bits - 1
    parts = W.T.reshape(COLUMNS // 32, 32, ROWS)
    low, high = np.minimum(parts.min(1), 0), np.maximum(parts.max(1), 0)
    scale = ((high - low) / levels).astype(np.float16)
    zero = np.clip(np.round(-low / scale.astype(np.float32)), 1, levels).astype(np.int64)
    wide = np.repeat(scale.astype(np.float32), 32, 0), np.repeat(zero, 32, 0)
    codes = np.clip(np.round(W.T / wide[0] + wide[1]), 0, levels).astype(np.int64)
    expected = ((codes - wide[1]).astype(np.float32) * wide[0]).astype(np.float16).astype(np.float32).T
    return codes, zero, scale, expected

for bits in (4, 8):
    codes, zero, scale, expected = grouped_codes(bits)
    put(f"gptq-{bits}", {
        "w.qweight": pack(codes.T, bits).T, "w.qzeros": pack(zero - 1, bits), "w.scales": scale,
        "w.g_idx": (np.arange(COLUMNS) // 32).astype(np.int32), "expected": expected,
    })

codes, zero, scale, expected = grouped_codes(4)
ORDER = [0, 2, 4, 6, 1, 3, 5, 7]  # AutoAWQ: nibble i of a word holds output ORDER[i].
shuffle = lambda x: x.reshape(*x.shape[:-1], -1, 8)[..., ORDER].reshape(x.shape)
put("awq", {
    "w.qweight": pack(shuffle(codes), 4), "w.qzeros": pack(shuffle(zero), 4), "w.scales": scale, "expected": expected,
})

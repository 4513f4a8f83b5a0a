"""Reads files with torch.load(weights_only=True) and prints what it found as JSON.

usage: python describe_torch.py FILE...
"""
import collections, json, sys
import torch


def describe(value, storages):
    if torch.is_tensor(value):
        storage = value.untyped_storage()
        number = storages.setdefault(storage.data_ptr() if storage.nbytes() else id(storage), len(storages))
        raw = value.contiguous().reshape(-1).view(torch.uint8) if value.numel() else torch.empty(0, dtype=torch.uint8)
        return {
            "tensor": str(value.dtype)[6:],
            "shape": list(value.shape),
            "stride": list(value.stride()),
            "hex": bytes(raw.tolist()).hex(),
            "storage": number,
            "bytes": storage.nbytes(),
        }
    if isinstance(value, dict):
        kind = "OrderedDict" if isinstance(value, collections.OrderedDict) else "dict"
        return {kind: [[describe(k, storages), describe(v, storages)] for k, v in value.items()]}
    if isinstance(value, list):
        return [describe(v, storages) for v in value]
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53):
        return {type(value).__name__: repr(value)}
    return value


found = []
for path in sys.argv[1:]:
    value = torch.load(path, weights_only=True)
    described = describe(value, {})
    # Mapped into memory, where tensors have to be aligned.
    assert describe(torch.load(path, weights_only=True, mmap=True), {}) == described, path
    found.append(described)
print(json.dumps(found))

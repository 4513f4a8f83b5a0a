import { bincount, functional as F, nonzero, searchsorted, type Tensor, unique } from "tsvene";
import type { Call } from "./golden.ts";

const onX =
  (f: (x: Tensor) => ReturnType<Call>): Call =>
  (inputs) =>
    f(Object.values(inputs)[0] as Tensor);

const pair = (r: { readonly values: Tensor; readonly indices: Tensor }): readonly Tensor[] => [
  r.values,
  r.indices,
];

/** Reductions, scans, sorting and counting. */
export const reductionCalls: Readonly<Record<string, Call>> = {
  "amax/dim1": onX((x) => x.amax({ dim: 1 })),
  "amax/dims_keep": onX((x) => x.amax({ dim: [0, 2], keepdim: true })),
  "amax/ties": onX((x) => x.amax({ dim: 0 })),
  "amin/dim1": onX((x) => x.amin({ dim: 1 })),
  "amin/dims_keep": onX((x) => x.amin({ dim: [0, 2], keepdim: true })),
  any_all: onX((x) => [x.any(), x.all(), x.any({ dim: 0 }), x.all({ dim: 1 })]),
  "argmax/dim": onX((x) => x.argmax(1)),
  "argmax/all": onX((x) => x.argmax()),
  "argmax/tie": onX((x) => x.argmax(1)),
  argmin: onX((x) => x.argmin(0)),
  argsort: onX((x) => x.argsort()),
  bincount: onX((x) => bincount(x, { minlength: 6 })),
  cumprod: onX((x) => x.cumprod(0)),
  "cumsum/dim1": onX((x) => x.cumsum(1)),
  "cumsum/int": onX((x) => x.cumsum(-1)),
  "log_softmax/last": onX((x) => F.logSoftmax(x, -1)),
  "log_softmax/dim1": onX((x) => F.logSoftmax(x, 1)),
  "log_softmax/large": onX((x) => F.logSoftmax(x, -1)),
  "log_softmax/masked": onX((x) => F.logSoftmax(x, -1)),
  "logsumexp/last": onX((x) => x.logsumexp({ dim: -1 })),
  "logsumexp/keepdim": onX((x) => x.logsumexp({ dim: [0, 2], keepdim: true })),
  "max/dim_ties": onX((x) => pair(x.max(0))),
  "max/all": onX((x) => x.max()),
  "max/dim": onX((x) => pair(x.max(-1))),
  "mean/all": onX((x) => x.mean()),
  "mean/dim1": onX((x) => x.mean({ dim: 1 })),
  "mean/dims_keep": onX((x) => x.mean({ dim: [0, 2], keepdim: true })),
  min: onX((x) => pair(x.min(1, true))),
  nonzero: onX((x) => nonzero(x)),
  "norm/l2_all": onX((x) => x.norm()),
  "norm/l2_dim": onX((x) => x.norm(2, { dim: -1, keepdim: true })),
  "norm/l1_dim": onX((x) => x.norm(1, { dim: 0 })),
  "norm/inf": onX((x) => x.norm(Infinity, { dim: 1 })),
  "prod/all": onX((x) => x.prod()),
  "prod/dim1": onX((x) => x.prod({ dim: 1 })),
  searchsorted: ({ s, x }) => searchsorted(s as Tensor, x as Tensor),
  "softmax/last": onX((x) => F.softmax(x, -1)),
  "softmax/dim1": onX((x) => F.softmax(x, 1)),
  "softmax/large": onX((x) => F.softmax(x, -1)),
  "softmax/masked": onX((x) => F.softmax(x, -1)),
  "sort/asc": onX((x) => pair(x.sort())),
  "sort/desc_dim0": onX((x) => pair(x.sort({ dim: 0, descending: true }))),
  "std/unbiased_True": onX((x) => x.std({ dim: 0, keepdim: true })),
  "std/unbiased_False": onX((x) => x.std({ dim: 0, keepdim: true, correction: 0 })),
  "sum/all": onX((x) => x.sum()),
  "sum/dim1": onX((x) => x.sum({ dim: 1 })),
  "sum/dims_keep": onX((x) => x.sum({ dim: [0, 2], keepdim: true })),
  "sum/bool_int": onX((x) => x.sum()),
  "topk/last": onX((x) => pair(x.topk(3))),
  "topk/smallest_dim0": onX((x) => pair(x.topk(2, { dim: 0, largest: false }))),
  unique: onX(async (x) => {
    const { values, inverse, counts } = await unique(x);
    return [values, inverse, counts];
  }),
  "var/unbiased_True": onX((x) => x.var({ dim: -1 })),
  "var/unbiased_False": onX((x) => x.var({ dim: -1, correction: 0 })),
  "var/all": onX((x) => x.var()),
};

import { expect, test } from "vitest";
import { layerViolations } from "../../scripts/layers.ts";

test.each([
  ["src/nn/module.ts", 'import { Tensor } from "../tensor/tensor.ts";'],
  ["src/nn/module.ts", 'import { site } from "./site.ts";'],
  ["src/index.ts", 'export { Module } from "./nn/module.ts";'],
  ["src/runtime/session.ts", 'import { InferenceSession } from "#ort";'],
  ["src/files/local.ts", 'import { readFile } from "node:fs/promises";'],
  ["src/tensor/gradients/a.ts", 'import { add } from "../functions/x.ts";'],
  ["src/tensor/ops/a.ts", 'import { show } from "../shape.ts";'],
  ["src/tensor/ops/a.ts", 'import type { X } from "../functions/x.ts";'],
  ["src/tensor/ops/a.ts", 'import { type X, type Y } from "../functions/x.ts";'],
  ["src/models/families/a/a.ts", 'import { x } from "./config.ts";'],
  ["src/models/families/a/a.ts", 'import { x } from "../../parts/x.ts";'],
  ["src/models/composites/a/a.ts", 'import { B } from "../../families/b/b.ts";'],
  ["src/nn/module.ts", '// import { x } from "../cli/main.ts"'],
  ["examples/quickstart.ts", 'import { tensor } from "tsvene";'],
])("%s may say %s", (file, code) => {
  expect(layerViolations(file, code)).toEqual([]);
});

test.each([
  ["src/nn/a.ts", 'import type { X } from "../models/x.ts";', "layer nn may import only from"],
  ["src/nn/a.ts", 'export * from "../optim/x.ts";', "not from optim"],
  ["src/tensor/a.ts", 'const x = await import("../runtime/x.ts");', "not from runtime"],
  ["src/tensor/a.ts", 'type X = import("../runtime/x.ts").X;', "not from runtime"],
  ["src/nn/a.ts", 'import { X } from "../extra/x.ts";', "src/extra is not a layer"],
  ["src/nn/a.ts", 'import { X } from "../index.ts";', "import the file"],
  ["src/nn/a.ts", 'import { X } from "../../scripts/x.ts";', "nothing from outside src/"],
  ["src/nn/a.ts", 'import { X } from "tsvene";', "by relative path"],
  ["src/nn/a.ts", 'import { Tensor } from "#ort";', "only the layer runtime"],
  ["src/nn/a.ts", 'import "onnxruntime-web";', "only the layer runtime"],
  ["src/tensor/a.ts", 'import fs from "node:fs";', "does no I/O"],
  ["src/tensor/ops/a.ts", 'import { add } from "../functions/x.ts";', "room tensor/ops may import"],
  ["src/tensor/ops/a.ts", 'import { type X, y } from "../random/x.ts";', "only from ops"],
  ["src/tensor/ops/a.ts", 'import { y } from "../attic/x.ts";', "src/tensor/attic is not a room"],
  ["src/models/families/a/a.ts", 'import { B } from "../b/b.ts";', "what both use is a part"],
  [
    "src/models/families/a/a.ts",
    'import type { B } from "../b/b.ts";',
    "another folder of families",
  ],
  ["src/models/composites/a/a.ts", 'import { B } from "../b/b.ts";', "what both use is a part"],
  [
    "src/models/families/a/a.ts",
    'import { B } from "../../composites/b/b.ts";',
    "room models/families",
  ],
  ["examples/a.ts", 'import { X } from "../src/nn/x.ts";', 'import from "tsvene"'],
])("%s may not say %s", (file, code, reason) => {
  const [violation, ...more] = layerViolations(file, `\n${code}`);
  expect(more).toEqual([]);
  expect(violation).toContain(`${file}:2: imports "`);
  expect(violation).toContain(reason);
});

import { expect, test } from "vitest";
import {
  Adam,
  grad,
  Linear,
  Module,
  Parameter,
  Sequential,
  tensor,
  TensorError,
} from "../index.ts";

test.each(["float16", "bfloat16"] as const)("%s is kept, float32 is seen", async (dtype) => {
  const p = new Parameter(tensor([1.00390625, -3]));
  p.keepIn(dtype);
  expect([p.stored.dtype, p.value.dtype, p.dtype, p.numel]).toEqual([
    dtype,
    "float32",
    "float32",
    2,
  ]);
  const wanted = dtype === "float16" ? [1.00390625, -3] : [1, -3];
  expect(await p.value.toArray()).toEqual(wanted);
  expect(p.stored.values).toBeInstanceOf(Uint16Array);
  p.set(tensor([0.5, 4]));
  expect([p.stored.dtype, await p.stored.toArray()]).toEqual([dtype, [0.5, 4]]);
  p.set(tensor([2, 1], { dtype }));
  expect(await p.value.toArray()).toEqual([2, 1]);
  expect(() => p.set(tensor([1, 2], { dtype: "int64" }))).toThrow(/is float32 \[2\], got int64/);
  p.keepIn("float32");
  expect([p.stored.dtype, await p.value.toArray()]).toEqual(["float32", [2, 1]]);
});

test("gradients are asked for with respect to what is seen, also when it was read", async () => {
  const p = new Parameter(tensor([1.5, -3], { dtype: "float16" }));
  expect([p.requiresGrad, p.value.requiresGrad, p.stored.requiresGrad]).toEqual([
    true,
    true,
    false,
  ]);
  const loss = p.value.square().sum();
  const [g] = grad(loss, [p.value]);
  expect([g.dtype, await g.toArray()]).toEqual(["float32", [3, -6]]);
  await p.value.data();
  expect(await grad(p.value.square().sum(), [p.value])[0].toArray()).toEqual([3, -6]);
  p.requiresGrad = false;
  expect(p.value.requiresGrad).toBe(false);
});

test("a module in 16 bits is trained with rounded steps, integers and buffers stay", async () => {
  class Net extends Module {
    readonly layer = new Linear(2, 1, { bias: false });
    readonly count = new Parameter(tensor([1], { dtype: "int64" }), { requiresGrad: false });
    override forward(): void {}
  }
  const net = new Net().to("bfloat16");
  expect(Object.values(net.stateDict()).map(({ dtype }) => dtype)).toEqual(["int64", "bfloat16"]);
  const { weight } = net.layer;
  weight.set(tensor([[1, 2]]));
  const optimizer = new Adam([weight], { lr: 0.5 });
  for (let i = 0; i < 2; i++) await optimizer.step(weight.value.square().sum());
  expect(weight.stored.dtype).toBe("bfloat16");
  const [a, b] = (await weight.value.toArray(2))[0] ?? [];
  expect(a).toBeCloseTo(0, 1);
  expect(b).toBeCloseTo(1, 1);
  expect(() => net.to("int8" as "float16")).toThrow(TensorError);
  expect(() => net.to("int8" as "float16")).toThrow(
    'Net.to: dtype "int8" is not known; use float32, float16, bfloat16',
  );
});

test("state dicts of 16 and 32 bits load into each other", async () => {
  const half = new Sequential(new Linear(3, 2)).to("float16");
  const wide = new Sequential(new Linear(3, 2));
  wide.loadStateDict(half.stateDict());
  expect(await wide.stateDict()["0.weight"]?.toArray()).toEqual(
    await half.stateDict()["0.weight"]?.toArray(),
  );
  half.loadStateDict(wide.stateDict());
  expect(half.stateDict()["0.bias"]?.dtype).toBe("float16");
});

import {
  einsum,
  evaluate,
  eye,
  grad,
  linalg,
  runtimeStats,
  type Tensor,
  tensor,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { expectTensor } from "./ops/golden.ts";
import { expectGradient, expectSecondGradient, noise } from "./ops/gradients.ts";

const CLOSE = { absolute: 1e-10, relative: 1e-10 };

async function expectClose(actual: Tensor, wanted: Tensor, tolerance = CLOSE): Promise<void> {
  await evaluate(actual, wanted);
  expectTensor("value", actual, wanted, tolerance);
}

const weighted = (x: Tensor, seed = 9): Tensor => x.mul(noise(x.shape, seed)).sum();
const symmetric = (x: Tensor): Tensor => x.add(x.mT);
/** Columns times signs, so that arbitrary signs do not matter. */
const signless = (x: Tensor): Tensor => x.mul(x);

describe("matrixExp", () => {
  test("is the identity for zeros", async () => {
    await expectClose(linalg.matrixExp(zeros([3, 3])), eye(3));
  });
  test("is exact for a diagonal of any size", async () => {
    const d = tensor([-30, -1, 0, 2.5, 40], { dtype: "float64" });
    await expectClose(linalg.matrixExp(d.diag()), d.exp().diag(), {
      absolute: 1e-9,
      relative: 1e-12,
    });
  });
  test("undoes itself: exp(A) exp(-A) = I, for small and large norms", async () => {
    for (const scale of [1e-8, 0.1, 1, 10]) {
      const a = noise([2, 5, 5]).mul(scale);
      const product = linalg.matrixExp(a).matmul(linalg.matrixExp(a.neg()));
      const size = await linalg.matrixExp(a).abs().amax().item();
      const slack = { absolute: 1e-13 * Math.max(1, size * size), relative: 0 };
      await expectClose(product, eye(5, 5, { dtype: "float64" }).expand([2, 5, 5]), slack);
    }
  });
  test("of a skew-symmetric matrix is orthogonal, in float32 too", async () => {
    const a = noise([40, 40]).to("float32").mul(3);
    const q = linalg.matrixExp(a.sub(a.mT));
    await expectClose(q.mT.matmul(q), eye(40), { absolute: 5e-5, relative: 0 });
  });
  test("gives infinities and NaN where the input has them, and ends", async () => {
    const y = await linalg.matrixExp(tensor([[Infinity, 0], [0, 1]])).toArray(); // prettier-ignore
    expect((y as number[][]).flat().some((v) => !Number.isFinite(v))).toBe(true);
    const z = await linalg.matrixExp(tensor([[NaN, 0], [0, 1]])).toArray(); // prettier-ignore
    expect((z as number[][]).flat().some(Number.isNaN)).toBe(true);
  });
  test("has first and second derivatives, without and with squarings", async () => {
    for (const scale of [0, 0.3, 2]) {
      const f = (x: Tensor): Tensor => weighted(linalg.matrixExp(x.mul(scale).add(0.1)));
      await expectGradient(f, [noise([3, 3])]);
      await expectSecondGradient(f, [noise([3, 3])], { tolerance: 2e-6 });
    }
  });
  test("compiles one program for all norms", async () => {
    const run = async (scale: number): Promise<void> => {
      await evaluate(linalg.matrixExp(noise([4, 4]).mul(scale)));
    };
    await run(1);
    const before = runtimeStats().programsCompiled;
    await run(1e-3);
    await run(50);
    expect(runtimeStats().programsCompiled).toBe(before);
  });
  test("refuses what is not square", () => {
    expect(() => linalg.matrixExp(zeros([2, 3]))).toThrow(/matrixExp: .*square.*\[2, 3\]/);
  });
});

describe("householderProduct", () => {
  test("is the product of the reflections", async () => {
    const [a, tau] = [noise([6, 4]), noise([3], 2)];
    let q: Tensor = eye(6, 6, { dtype: "float64" });
    for (let k = 0; k < 3; k++) {
      const column = a
        .tril(-1)
        .add(eye(6, 4, { dtype: "float64" }))
        .select(1, k);
      const reflection = column.outer(column).mul(tau.select(0, k));
      q = q.matmul(eye(6, 6, { dtype: "float64" }).sub(reflection));
    }
    await expectClose(linalg.householderProduct(a, tau), q.slice(1, 0, 4), {
      absolute: 1e-12,
      relative: 0,
    });
  });
  test("works in batches, and without reflections", async () => {
    const [a, tau] = [noise([2, 5, 3]), noise([2, 3], 2)];
    const [first, second] = a
      .unbind(0)
      .map((x, i) => linalg.householderProduct(x, tau.select(0, i)));
    const both = linalg.householderProduct(a, tau);
    await expectClose(both.select(0, 0), first as Tensor);
    await expectClose(both.select(0, 1), second as Tensor);
    await expectClose(
      linalg.householderProduct(noise([3, 2]), zeros([0], { dtype: "float64" })),
      eye(3, 2, { dtype: "float64" }),
    );
  });
  test("has second derivatives", async () => {
    const f = (a: Tensor, tau: Tensor): Tensor => weighted(linalg.householderProduct(a, tau));
    await expectSecondGradient(f, [noise([4, 2]), noise([2], 2)]);
  });
});

describe("solve, inv, det", () => {
  test("solves for matrices, vectors and batches", async () => {
    const a = noise([2, 3, 3]).add(eye(3, 3, { dtype: "float64" }).mul(3));
    for (const b of [noise([2, 3, 2], 2), noise([2, 3], 2)]) {
      const x = linalg.solve(a, b);
      const back = b.ndim === 2 ? a.matmul(x.unsqueeze(-1)).squeeze(-1) : a.matmul(x);
      await expectClose(back, b, { absolute: 1e-13, relative: 0 });
    }
    expect(linalg.solve(a.select(0, 0), noise([3])).shape).toEqual([3]);
    expect(() => linalg.solve(a, noise([4, 2]))).toThrow(/solve: .*\[2, 3, 3\] and \[4, 2\]/);
  });
  test("stays exact for a float32 system of condition 15,000", async () => {
    const n = 4;
    const hilbert = tensor(
      Float32Array.from({ length: n * n }, (_, i) => 1 / (Math.floor(i / n) + (i % n) + 1)),
      { shape: [n, n] },
    );
    const b = hilbert.sum({ dim: 1 });
    const residual = await hilbert.matmul(linalg.solve(hilbert, b)).sub(b).abs().amax().item();
    expect(residual).toBeLessThan(1e-6);
  });
  test("have second derivatives", async () => {
    const a = noise([3, 3]).add(eye(3, 3, { dtype: "float64" }).mul(2));
    await expectSecondGradient((x, b) => weighted(linalg.solve(x, b)), [a, noise([3, 2], 2)], {
      tolerance: 1e-5,
    });
  });
  test("det has no float64, and says so", () => {
    expect(() => linalg.det(noise([2, 2]))).toThrow(/det: float64 is not supported/);
  });
  test("matrixPower", async () => {
    const a = noise([3, 3]);
    await expectClose(linalg.matrixPower(a, 5), a.matmul(a).matmul(a).matmul(a).matmul(a));
    await expectClose(linalg.matrixPower(a, 0), eye(3, 3, { dtype: "float64" }));
    await expectClose(linalg.matrixPower(a, -1).matmul(a), eye(3, 3, { dtype: "float64" }));
  });
});

describe("decompositions", () => {
  test("eigh: x V = V diag(values), ascending, of the lower triangle, in batches", async () => {
    const x = noise([2, 4, 4]);
    const { values, vectors } = await linalg.eigh(x);
    const lower = x.tril().add(x.tril(-1).mT);
    await expectClose(lower.matmul(vectors), vectors.mul(values.unsqueeze(-2)), {
      absolute: 1e-12,
      relative: 0,
    });
    const ordered = await values.toArray(2);
    for (const row of ordered) expect(row).toEqual([...row].sort((a, b) => a - b));
  });
  test("svd: x = U diag(s) Vᵀ with orthonormal factors, tall, wide and of low rank", async () => {
    const flat = noise([4, 1]).matmul(noise([1, 3], 2));
    for (const x of [noise([5, 3]), noise([3, 5]), noise([2, 4, 4]), flat]) {
      const { u, s, vh } = await linalg.svd(x);
      await expectClose(u.mul(s.unsqueeze(-2)).matmul(vh), x, { absolute: 1e-12, relative: 0 });
      const k = s.size(-1);
      const unit = eye(k, k, { dtype: "float64" }).expand([...s.shape.slice(0, -1), k, k]);
      await expectClose(u.mT.matmul(u), unit, { absolute: 1e-12, relative: 0 });
      await expectClose(vh.matmul(vh.mT), unit, { absolute: 1e-12, relative: 0 });
    }
  });
  test("qr: x = Q R, tall and wide", async () => {
    for (const x of [noise([5, 3]), noise([3, 5]), noise([2, 3, 3])]) {
      const { q, r } = await linalg.qr(x);
      await expectClose(q.matmul(r), x, { absolute: 1e-12, relative: 0 });
      await expectClose(r, r.triu());
    }
  });
  test("pinv", async () => {
    const x = noise([4, 3]);
    await expectClose((await linalg.pinv(x)).matmul(x), eye(3, 3, { dtype: "float64" }));
    const flat = noise([4, 1]).matmul(noise([1, 3], 2));
    await expectClose(flat.matmul(await linalg.pinv(flat)).matmul(flat), flat);
  });
  test("have gradients, of values and of vectors", async () => {
    const values = async (x: Tensor): Promise<Tensor> =>
      weighted(await linalg.eigvalsh(symmetric(x)));
    const vectors = async (x: Tensor): Promise<Tensor> =>
      weighted(signless((await linalg.eigh(symmetric(x))).vectors));
    for (const f of [values, vectors]) {
      await expectGradient(f, [noise([3, 3])]);
      await expectSecondGradient(f, [noise([3, 3])], { tolerance: 1e-5 });
    }
  });
  test("of svd have gradients, tall, square and wide", async () => {
    for (const shape of [
      [4, 2],
      [3, 3],
      [2, 4],
    ]) {
      const f = async (x: Tensor): Promise<Tensor> => {
        const { u, s, vh } = await linalg.svd(x);
        return weighted(signless(u))
          .add(weighted(s, 4))
          .add(weighted(signless(vh), 5));
      };
      await expectGradient(f, [noise(shape)], { tolerance: 1e-5 });
    }
    const product = async (x: Tensor): Promise<Tensor> => {
      const { u, s, vh } = await linalg.svd(x);
      return weighted(einsum("ik,k,kj->ij", u, s.square(), vh));
    };
    await expectSecondGradient(product, [noise([3, 2])], { tolerance: 1e-4 });
  });
  test("of qr have gradients", async () => {
    for (const shape of [
      [4, 2],
      [3, 3],
    ]) {
      const f = async (x: Tensor): Promise<Tensor> => {
        const { q, r } = await linalg.qr(x);
        return weighted(q).add(weighted(r, 4));
      };
      await expectGradient(f, [noise(shape)]);
      await expectSecondGradient(f, [noise(shape)], { tolerance: 1e-5 });
    }
  });
  test("keep the graph of what they decompose, and say what has no gradient", async () => {
    const x = noise([2, 3]);
    const y = x.mul(2);
    const { r } = await linalg.qr(y);
    expect(() => grad(r.sum(), [x])).toThrow(/qr: .*wide.*\[2, 3\]/);
    const s = await linalg.svdvals(y);
    expect((await grad(s.sum(), [x])[0].data()).length).toBe(6);
  });
  test("refuse what is not finite, or has no such factors", async () => {
    await expect(linalg.svd(tensor([[NaN]]))).rejects.toThrow(/svd: .*\[1, 1\].*not finite/);
    await expect(linalg.eigh(zeros([2, 3]))).rejects.toThrow(/eigh: .*square.*\[2, 3\]/);
    await expect(linalg.qr(zeros([3]))).rejects.toThrow(/qr: .*\[3\]/);
    await expect(linalg.svd(zeros([2, 2], { dtype: "float16" }))).rejects.toThrow(/svd: .*float16/);
  });
});

test("norms of matrices", async () => {
  const x = tensor([[1, -2], [3, 4]]); // prettier-ignore
  const values = await Promise.all(
    (["fro", 1, -1, Infinity, -Infinity] as const).map(async (p) => linalg.matrixNorm(x, p).item()),
  );
  expect(values).toEqual([Math.fround(Math.sqrt(30)), 6, 4, 7, 3]);
  expect(() => linalg.matrixNorm(x, 2)).toThrow(/matrixNorm: .*got 2/);
});

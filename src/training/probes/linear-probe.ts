import { fail } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ClassLabel } from "./classes.ts";
import { unitVector } from "./unit-vector.ts";

/** A linear function of activations, x W + b, that was fitted. */
export class LinearProbe {
  /** W [width, outputs], float32. */
  readonly weight: Tensor;
  /** b [outputs], float32. */
  readonly bias: Tensor;

  /** @internal */
  constructor(weight: Tensor, bias: Tensor) {
    this.weight = weight;
    this.bias = bias;
  }

  /** [..., width] to [..., outputs]. */
  outputs(x: Tensor): Tensor {
    return x.to(this.weight.dtype).matmul(this.weight).add(this.bias);
  }
}

/** A probe that tells classes apart; see {@link logisticProbe}. */
export class LogisticProbe extends LinearProbe {
  /** The classes, in the order of the outputs. */
  readonly classes: readonly ClassLabel[];
  /** Whether the optimum was found as exactly as was asked for. */
  readonly converged: boolean;

  /** @internal */
  constructor(
    weight: Tensor,
    bias: Tensor,
    found: { readonly classes: readonly ClassLabel[]; readonly converged: boolean },
  ) {
    super(weight, bias);
    this.classes = found.classes;
    this.converged = found.converged;
  }

  /** The most likely class of each sample, [..., width]. */
  async predict(x: Tensor): Promise<readonly ClassLabel[]> {
    const numbers = await this.outputs(x).argmax(-1).data();
    return Array.from(numbers, Number).map((number) => this.classes[number] ?? "");
  }

  /** The share of samples whose class it tells. */
  async accuracy(x: Tensor, labels: readonly ClassLabel[]): Promise<number> {
    const predicted = await this.predict(x);
    if (predicted.length !== labels.length) {
      fail(
        "LogisticProbe.accuracy",
        `there are ${labels.length} labels for ${predicted.length} samples`,
      );
    }
    return predicted.filter((label, i) => label === labels[i]).length / labels.length;
  }

  /**
   * The unit vector along which a class is told from the others, [width]: of two classes, from the first
   * to the second.
   *
   * @param label - The class. @default the second
   * @throws TsveneError for a class that is not there.
   */
  async direction(label: ClassLabel | undefined = this.classes[1]): Promise<Tensor> {
    const op = "LogisticProbe.direction";
    const number = this.classes.findIndex((name) => name === label);
    if (number < 0) {
      fail(op, `there is no class ${String(label)}; there are ${this.classes.join(", ")}`);
    }
    const own = this.weight.select(1, number);
    const others = this.weight
      .sum({ dim: 1 })
      .sub(own)
      .div(this.classes.length - 1);
    return unitVector(op, own.sub(others));
  }
}

/** A probe that estimates numbers; see {@link ridgeProbe}. */
export class RidgeProbe extends LinearProbe {
  /**
   * The share of the variance of targets that it explains, 1 at best: 1 - Σ(y - ŷ)² / Σ(y - ȳ)², over all
   * outputs together.
   */
  async r2(x: Tensor, targets: Tensor): Promise<number> {
    const wanted = targets.to("float32").reshape([-1, this.bias.numel]);
    const found = this.outputs(x).reshape([-1, this.bias.numel]);
    const missed = wanted.sub(found).square().sum();
    const all = wanted
      .sub(wanted.mean({ dim: 0 }))
      .square()
      .sum();
    await evaluate(missed, all);
    return 1 - (await missed.item()) / (await all.item());
  }
}

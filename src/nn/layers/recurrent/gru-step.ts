import { sigmoid, tanh } from "../../functional/activations.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { Activation } from "../activation.ts";
import { startState } from "./cell-parameters.ts";
import { RecurrentStep, type TensorMap } from "./recurrent-step.ts";

/**
 * One step of a GRU:
 * r = σ(x₁ + h₁), z = σ(x₂ + h₂), n = tanh(x₃ + r h₃), and then (1 − z) n + z h, for the thirds of the
 * two projections. Cho and others, "Learning phrase representations using RNN encoder-decoder" (2014),
 * with the reset gate after the projection, as in PyTorch.
 */
export abstract class GRUStep<
  Projection extends TensorMap = TensorMap,
> extends RecurrentStep<Projection> {
  /** The activation of the reset gate. */
  readonly reset_act: Activation;
  /** The activation of the update gate. */
  readonly update_act: Activation;
  /** The activation of the new state. */
  readonly new_act: Activation;

  constructor(projections: readonly [x2h: Projection, h2h: Projection]) {
    super(projections);
    this.reset_act = new Activation("sigmoid", sigmoid);
    this.update_act = new Activation("sigmoid", sigmoid);
    this.new_act = new Activation("tanh", tanh);
  }

  /**
   * The state after an input, [batch, hidden].
   * @param x [batch, in]
   * @param before [batch, hidden]: the state before it. @default zeros
   */
  override forward(x: Tensor, before?: Tensor): Tensor {
    const h = startState(this, x, before);
    const [xReset, xUpdate, xNew] = thirds(this.x2h.forward(x));
    const [hReset, hUpdate, hNew] = thirds(this.h2h.forward(h));
    const reset = this.reset_act.forward(xReset.add(hReset));
    const update = this.update_act.forward(xUpdate.add(hUpdate));
    const fresh = this.new_act.forward(xNew.add(reset.mul(hNew)));
    return fresh.add(update.mul(h.sub(fresh)));
  }
}

function thirds(x: Tensor): [Tensor, Tensor, Tensor] {
  return x.chunk(3, -1) as [Tensor, Tensor, Tensor];
}

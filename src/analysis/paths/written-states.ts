import type { Tensor } from "../../tensor/tensor.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";

/** What the senders of a residual stream made, in few numbers. */
export interface WrittenStates {
  /** What the first layer is given, [examples, position, width]. */
  readonly input: Tensor;
  readonly layers: readonly {
    /** What the heads mixed, before the output projection, [examples, position, heads, width of a head]. */
    readonly mixed: Tensor;
    /** What the MLP added, [examples, position, width]. */
    readonly mlp: Tensor;
  }[];
}

/** What was written in a traced pass. */
export function writtenStates(stream: ResidualStream, pass: TracedResidual): WrittenStates {
  const layers = pass.layers.map(({ at }, layer) => ({
    mixed: stream.mixed(pass, layer),
    mlp: at.mlp,
  }));
  return { input: pass.input, layers };
}

/** The tensors of states, one after the other. */
export function tensorsOf({ input, layers }: WrittenStates): readonly Tensor[] {
  return [input, ...layers.flatMap(({ mixed, mlp }) => [mixed, mlp])];
}

/** States made of one or several others, tensor by tensor. */
export function mapStates(
  of: (...tensors: readonly Tensor[]) => Tensor,
  [first, ...others]: readonly [WrittenStates, ...WrittenStates[]],
): WrittenStates {
  const layers = first.layers.map(({ mixed, mlp }, i) => {
    const each = others.flatMap((states) => states.layers[i] ?? []);
    return {
      mixed: of(mixed, ...each.map((layer) => layer.mixed)),
      mlp: of(mlp, ...each.map((layer) => layer.mlp)),
    };
  });
  return { input: of(first.input, ...others.map(({ input }) => input)), layers };
}

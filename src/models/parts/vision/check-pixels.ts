import { fail } from "../../../nn/errors.ts";
import { show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { requireTensor } from "../require-tensor.ts";

/** What images a model takes. */
export interface ImageShape {
  readonly channels: number;
  /** Height and width. @default any */
  readonly size?: number;
}

/**
 * @param model what the message begins with.
 * @throws ModelError for pixels that are not floats [batch, channels, height, width] of the wanted
 * size.
 */
export function checkPixels(
  model: string,
  pixelValues: Tensor | undefined,
  { channels, size }: ImageShape,
): Tensor {
  const wanted = `[batch, ${channels}, ${size ?? "height"}, ${size ?? "width"}]`;
  if (pixelValues === undefined) fail(model, `give pixelValues ${wanted}`);
  requireTensor(model, "pixelValues", pixelValues);
  const { shape, dtype } = pixelValues;
  const fits =
    shape.length === 4 &&
    shape[1] === channels &&
    (size === undefined || (shape[2] === size && shape[3] === size));
  if (!fits) {
    const turned = shape.length === 4 && shape[3] === channels;
    const hint = turned ? "; permute([0, 3, 1, 2]) puts the channels first" : "";
    fail(model, `pixelValues must be ${wanted}, got ${show(shape)}${hint}`);
  }
  if (!dtype.startsWith("float") && dtype !== "bfloat16") {
    fail(
      model,
      `pixelValues must be floating-point, got ${dtype}; scale them and use to("float32")`,
    );
  }
  return pixelValues;
}

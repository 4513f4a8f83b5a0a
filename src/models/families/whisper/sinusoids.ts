import { Tensor } from "../../../tensor/tensor.ts";

/** Sines, then cosines, of positions at wavelengths up to `2 pi 10000`: [positions, width]. */
export function sinusoids([positions = 1, width = 1]: readonly number[]): Tensor {
  const half = width / 2;
  const step = Math.log(10000) / Math.max(1, half - 1);
  const values = new Float32Array(positions * width);
  for (let t = 0; t < positions; t++) {
    for (let i = 0; i < half; i++) {
      const angle = t * Math.exp(-step * i);
      values[t * width + i] = Math.sin(angle);
      values[t * width + half + i] = Math.cos(angle);
    }
  }
  return Tensor.fromData(values, [positions, width]);
}

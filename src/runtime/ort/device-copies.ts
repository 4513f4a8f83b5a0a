import type { InferenceSession, Tensor as OrtTensor } from "#ort";
import { internal } from "../../base/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { encodeModel } from "../onnx/encode.ts";

/** A program that gives what it is given: on a device, it copies values into its memory. */
export const COPY: Uint8Array = encodeModel(
  {
    name: "copy",
    inputs: [{ name: "x", dtype: "float32" }],
    outputs: [{ name: "y", dtype: "float32" }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  },
  { opset: 21 },
);

/** How a device runs something. */
interface Sessions {
  /** Makes a session whose outputs stay on the device. */
  create(model: Uint8Array): Promise<InferenceSession>;
  /** Does something when it is its turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Weights in a device's memory. Each is copied there when a program first reads it, and stays as long as
 * its tensor is held: until the model is gone, or another value takes its place.
 */
export class DeviceCopies {
  readonly #copies = new WeakMap<Tensor, Promise<OrtTensor>>();
  readonly #freed = new FinalizationRegistry<Promise<OrtTensor>>((copy) => {
    void copy.then((held) => held.dispose());
  });
  readonly #sessions: Sessions;
  #upload: Promise<InferenceSession> | undefined;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** The copy of a weight, or what the host has of all else, which changes from run to run. */
  of(t: Tensor, view: OrtTensor): OrtTensor | Promise<OrtTensor> {
    if (!t.lasting || t.dtype !== "float32" || t.numel === 0) return view;
    const known = this.#copies.get(t);
    if (known !== undefined) return known;
    const copy = this.#copied(view);
    this.#copies.set(t, copy);
    this.#freed.register(t, copy);
    copy.catch(() => this.#copies.delete(t));
    return copy;
  }

  async #copied(view: OrtTensor): Promise<OrtTensor> {
    this.#upload ??= this.#sessions.create(COPY);
    const session = await this.#upload;
    const { y } = await this.#sessions.inTurn(() => session.run({ x: view }));
    return y ?? internal("nothing was uploaded");
  }
}

import { TsveneError } from "../../base/errors.ts";

/** A tokenizer that cannot be made, or text and ids that it cannot turn into one another. */
export class TokenizerError extends TsveneError {
  /** Always "TokenizerError". */
  override readonly name: string = "TokenizerError";
}

/** A tokenizer that cannot be made, or text and ids that it cannot turn into one another. */
export class TokenizerError extends Error {
  override readonly name: string = "TokenizerError";
}

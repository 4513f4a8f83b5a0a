import { nodeModules } from "./node.ts";

/**
 * SHA-256 of bytes, in hexadecimal digits; undefined on a page that was not loaded securely, where
 * browsers compute none.
 */
export async function sha256(bytes: Uint8Array): Promise<string | undefined> {
  const node = nodeModules();
  if (node !== undefined) return node.crypto.createHash("sha256").update(bytes).digest("hex");
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return hexOf(digest);
}

/** Bytes in hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

import { type Answer, dismiss } from "./http-request.ts";

/** Bytes of an answer that says what a repository is; there are lists of files in it. */
const MOST_INFO_BYTES = 64 * 1024 * 1024;

/** Reads an answer of the Hub's interface for programs. */
export async function wholeBody({ response, watch }: Answer): Promise<Response> {
  const parts: BlobPart[] = [];
  let length = 0;
  const cancel = (): void => void response.body?.cancel().catch(() => undefined);
  watch.signal.addEventListener("abort", cancel);
  try {
    for await (const part of response.body ?? []) {
      watch.alive();
      length += part.byteLength;
      if (length > MOST_INFO_BYTES) throw new Error("the answer is larger than any that is known");
      parts.push(part);
    }
  } finally {
    watch.signal.removeEventListener("abort", cancel);
    watch.end();
  }
  return new Response(new Blob(parts), { status: 200, headers: response.headers });
}

/** What an answer says of a file, without the file. */
export async function headersOnly(answer: Answer): Promise<Response> {
  await dismiss(answer);
  const { status, headers } = answer.response;
  const known = new Headers(headers);
  const length = headers.get("content-length");
  // A server that knows no ranges would have sent the whole.
  if (status === 200 && length !== null && !headers.has("content-encoding")) {
    known.set("content-range", `bytes 0-0/${length}`);
  }
  return new Response(null, { status: 200, headers: known });
}

/**
 * Large files lie with others, which the Hub leads to; what it says of them is all that is wanted
 * here, and is not asked for there.
 */
export function describedFile(response: Response, from: URL, to: URL): Response | undefined {
  const etag = response.headers.get("x-linked-etag");
  const size = response.headers.get("x-linked-size");
  if (from.origin === to.origin || etag === null || size === null) return undefined;
  const headers = { "x-linked-etag": etag, "content-range": `bytes 0-0/${size}` };
  return new Response(null, { status: 200, headers });
}

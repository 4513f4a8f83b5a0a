import type { DownloadOptions } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import {
  type Answer,
  askServer,
  backOff,
  dismiss,
  type HttpRequest,
  markUnavailable,
  reasonOf,
  RETRIES,
} from "./http-request.ts";
import { redact, redactedCause } from "./redact.ts";

/** Bytes of an answer for programs; there are lists of all files of a repository in some. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;

async function wholeBody({ response, watch }: Answer): Promise<Response> {
  const parts: BlobPart[] = [];
  let length = 0;
  const cancel = (): void => void response.body?.cancel().catch(() => undefined);
  watch.signal.addEventListener("abort", cancel);
  try {
    for await (const part of response.body ?? []) {
      watch.alive();
      length += part.byteLength;
      if (length > MOST_ANSWER_BYTES) throw new Error("it is larger than any that is known");
      parts.push(part);
    }
    if (watch.timedOut) throw new Error(`nothing came for ${watch.seconds} s`);
  } finally {
    watch.signal.removeEventListener("abort", cancel);
    watch.end();
  }
  const { status, statusText, headers } = response;
  return new Response(length > 0 ? new Blob(parts) : null, { status, statusText, headers });
}

/**
 * Asks a server and reads its answer, of any status, to the end; again when it breaks off, as often as
 * options say.
 *
 * @throws {@link FileSourceError} when it cannot be reached, or not to the end.
 */
export async function askWhole(request: HttpRequest, options: DownloadOptions): Promise<Response> {
  for (let failures = 0; ; failures++) {
    const answer = await askServer(request, options);
    try {
      return await wholeBody(answer);
    } catch (error) {
      await dismiss(answer);
      options.signal?.throwIfAborted();
      if (failures >= (options.retries ?? RETRIES)) throw cutOff(request, error);
    }
    await backOff(failures, 0, options.signal);
  }
}

function cutOff({ url, purpose, site }: HttpRequest, error: unknown): FileSourceError {
  const reason = redact(reasonOf(error), site.secrets);
  return markUnavailable(
    new FileSourceError(
      "network",
      `${new URL(url).origin}, asked to ${purpose}, broke off in its answer (${reason}): try again`,
      { cause: redactedCause(error, site.secrets) },
    ),
  );
}

/** What a server says of a file, without the file. */
export async function headersOnly(
  request: HttpRequest,
  options: DownloadOptions,
): Promise<Response> {
  const answer = await askServer(request, options);
  await dismiss(answer);
  const { ok, status, headers } = answer.response;
  if (!ok) return answer.response;
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

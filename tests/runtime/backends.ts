import { type Backend, defaultRuntime } from "tsvene";
import { ReferenceBackend } from "./reference/reference-backend.ts";

/** The reference needs no page: what it computes is the same in Node. */
const isPage = "document" in globalThis;

/** Every backend that the suites are run on: that of this host, and in Node the reference. */
export const backends: readonly Backend[] = [
  defaultRuntime.backend,
  ...(isPage ? [] : [new ReferenceBackend()]),
];

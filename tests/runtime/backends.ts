import { type Backend, defaultRuntime } from "tsvene";
import { ReferenceBackend } from "./reference/reference-backend.ts";

/** Every backend that the suites are run on. */
export const backends: readonly Backend[] = [defaultRuntime.backend, new ReferenceBackend()];

import { afterEach, expect, it, vi } from "vitest";
import { warn } from "./warn.ts";

afterEach(() => void vi.restoreAllMocks());

it("says each text once", () => {
  const written = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  for (let i = 0; i < 3; i++) warn("load", "the first");
  warn("load", "the second");
  expect(written.mock.calls).toEqual([["tsvene: load: the first"], ["tsvene: load: the second"]]);
});

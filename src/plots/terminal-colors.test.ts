import type * as tty from "node:tty";
import { expect, test } from "vitest";
import { detectColors } from "./terminal-colors.ts";

const getBuiltinModule = (name: "node:tty"): typeof tty => {
  return process.getBuiltinModule(name);
};
const terminal = { isTTY: true };
const pipe = {};

test.each([
  ["24bit", terminal, { COLORTERM: "truecolor", TERM: "xterm" }],
  ["256", terminal, { TERM: "xterm-256color" }],
  ["none", terminal, { TERM: "dumb" }],
  ["none", terminal, { COLORTERM: "truecolor", NO_COLOR: "1" }],
  ["none", pipe, { COLORTERM: "truecolor" }],
  ["24bit", pipe, { FORCE_COLOR: "3" }],
  ["256", pipe, { FORCE_COLOR: "2" }],
  ["none", pipe, { FORCE_COLOR: "3", NO_COLOR: "1" }],
  ["none", terminal, { COLORTERM: "truecolor", FORCE_COLOR: "0" }],
] as const)("%s where standard output is %o and the environment %o", (mode, stdout, env) => {
  expect(detectColors({ stdout, env, getBuiltinModule })).toBe(mode);
});

test("none in a browser", () => {
  expect(detectColors({})).toBe("none");
});

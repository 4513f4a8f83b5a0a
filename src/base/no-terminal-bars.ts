import type { TerminalBars } from "./terminal-bars.ts";

/** There is no terminal in a page. */
export async function openTerminalBars(_format: string): Promise<TerminalBars | undefined> {
  return undefined;
}

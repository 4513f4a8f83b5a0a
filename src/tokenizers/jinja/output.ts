import type { Budget } from "./budget.ts";

/** The text that a template writes. */
export class Output {
  readonly #parts: string[] = [];
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  write(text: string): void {
    this.#budget.spendText(text.length);
    this.#parts.push(text);
  }

  get text(): string {
    return this.#parts.join("");
  }
}

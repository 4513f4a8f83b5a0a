import { signal } from "@preact/signals";

const query = matchMedia("(prefers-color-scheme: dark)");

/** Whether the reader wants light letters on a dark ground. */
export const isDark = signal(query.matches);
query.addEventListener("change", () => {
  isDark.value = query.matches;
});

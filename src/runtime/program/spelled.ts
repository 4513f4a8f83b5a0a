/** Attributes as text: infinities, NaN and -0 make other constants than what JSON has for them. */
export function spelled(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(spelled).join(",")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  let text = "";
  for (const [name, part] of Object.entries(value)) text += `${name}:${spelled(part)} `;
  return `{${text}}`;
}

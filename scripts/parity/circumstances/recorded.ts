/** What a `case.json` of a circumstance holds; each kind has fields that no other has. */
export type Recorded = Readonly<Record<string, unknown>>;

/** A recorded number, or lists of them. */
export type Numbers = number | readonly Numbers[];

export function isRecord(value: unknown): value is Recorded {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The cases of a circumstance by their names, which are those of directories. */
export function casesOf(recorded: Recorded): [name: string, settings: Recorded][] {
  const { cases } = recorded;
  if (!isRecord(cases)) return [];
  return Object.entries(cases).map(([name, c]) => [name, isRecord(c) ? c : { rows: c }]);
}

/** The entries that are cases where they stand beside the inputs that they share. */
export function modelsOf(recorded: Recorded): [name: string, settings: Recorded][] {
  return Object.entries(recorded).filter((entry): entry is [string, Recorded] =>
    isRecord(entry[1]),
  );
}

/** Rows of a list of cases. */
export function rowsOf(rows: unknown): readonly Recorded[] {
  return Array.isArray(rows) ? rows.filter(isRecord) : [];
}

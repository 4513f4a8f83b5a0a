/** The answers that are compared, as the page found them. */
export interface Answers {
  readonly right: string;
  readonly wrong: string;
}

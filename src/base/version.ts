/** The version of this library, as `package.json` has it, which a bundle does not hold. */
export const VERSION = "0.1.0";

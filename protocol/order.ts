// The one order of texts: by code units, the same on every machine, which a locale's is not.

/** Negative, zero or positive, as Array.sort takes it. */
export function compareText(a: string, b: string): number { return a < b ? -1 : a > b ? 1 : 0; }

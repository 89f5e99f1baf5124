// Hostile text and numbers from files made safe: control characters, lengths, lone surrogates, NaN.

/** Longest text kept of any one metadata value that is shown. */
const MAX_SHOWN = 200;
/** Raw metadata that stays in the catalog: enough for every real tag, and no file can fill the disk with it. */
const MAX_RAW_VALUE = 2_000;
const MAX_RAW_KEYS = 400;

/** Trimmed one-line text of at most 200 characters, or null where nothing readable is left. */
export function cleanText(value: unknown, max = MAX_SHOWN): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').replace(/ {2,}/g, ' ').trim().slice(0, max).toWellFormed();
  return text === '' || text === 'undefined' || text === 'NaN' ? null : text;
}

/** Longest caption that a row may carry (protocol/rows.ts). */
const MAX_PROSE = 10_000;

/** Text of several lines with other control characters gone, at most 10,000 characters; null where nothing readable is left. */
export function cleanProse(value: unknown): string | null {
  if (typeof value !== 'string' && !Number.isFinite(value)) return null;
  const text = String(value).slice(0, MAX_PROSE * 2).replace(/\r\n?|[\u2028\u2029]/g, '\n').replace(/[^\P{Cc}\n]+/gu, ' ').replace(/[^\S\n]+/g, ' ').replace(/ ?\n ?/g, '\n').replace(/\n{3,}/g, '\n\n').trim();
  return text === '' ? null : text.slice(0, MAX_PROSE).toWellFormed();
}

/** A finite number of a number or numeric text, or null. */
export function cleanNumber(value: unknown): number | null {
  const n = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Array.isArray(value) ? cleanNumber(value[0]) : null;
  return n !== null && Number.isFinite(n) ? n : null;
}

export function positiveNumber(value: unknown): number | null {
  const n = cleanNumber(value);
  return n !== null && n > 0 && n < 1e9 ? n : null;
}

/** Metadata as plain JSON values of bounded size, without binary; null where nothing is left. */
export function rawMetadataOf(tags: Record<string, unknown>): Record<string, unknown> | null {
  const kept: Record<string, unknown> = {};
  let n = 0;
  for (const [key, value] of Object.entries(tags)) {
    if (n >= MAX_RAW_KEYS) break;
    const plain = plainValue(value);
    if (plain !== undefined) { kept[key.slice(0, 100)] = plain; n++; }
  }
  return n ? kept : null;
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_RAW_VALUE).toWellFormed();
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value) && value.length <= 16) { const parts = value.map(plainValue); return parts.every((p) => p !== undefined) ? parts : undefined; }
  return undefined;
}

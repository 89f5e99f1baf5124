// How proxies are encoded: one place for the process that does it, the bench that compares and the tests that hold it to its word.
import { MAX_PROXY_BYTES } from '../../protocol/limits.ts';

/**
 * x264 `veryfast` at CRF 26 is what a phone's screen needs; the cap, with the sound, keeps a minute within 6 MB:
 * (700 + 80) kbit/s x 60 s = 5.9 MB.
 */
export const PROXY_ENCODING = { preset: 'veryfast', crf: 26, maxVideoBps: 700_000, soundBps: 80_000, maxFps: 30, keyEveryS: 2 } as const;
/** Films beyond some three hours share MAX_PROXY_BYTES out; below this a picture is no picture any more. */
const MIN_VIDEO_BPS = 100_000;
/** Room for the index and for what a rate controller is late. */
const BYTES_TO_USE = 0.92;
/** A file with less than this is not as long as it says, and its word is left aside. */
const LEAST_SOURCE_BPS = 8_000;

export interface Rates { videoBps: number; soundBps: number }

/** The rates that a film of this length may have; null where even the lowest would pass MAX_PROXY_BYTES. */
export function ratesFor(saidS: number | null, sizeBytes: number, sound: boolean): Rates | null {
  const soundBps = sound ? PROXY_ENCODING.soundBps : 0;
  const believed = saidS !== null && (sizeBytes * 8) / saidS >= LEAST_SOURCE_BPS ? saidS : 0;
  const room = believed > 0 ? (MAX_PROXY_BYTES * BYTES_TO_USE * 8) / believed - soundBps : Infinity;
  return room < MIN_VIDEO_BPS ? null : { videoBps: Math.round(Math.min(PROXY_ENCODING.maxVideoBps, room)), soundBps };
}

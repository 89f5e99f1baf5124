// Asks a Nominatim server for street and neighbourhood, within the policy of the public one: one request a second at most, also
// across restarts; a User-Agent that says who asks; nothing asked twice (the catalog keeps every answer); and when the server is
// busy or ill, longer and longer pauses. Its answers are hostile like everything that others wrote.
import { distance } from 'geokdbush';
import * as z from 'zod';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { PlaceNames } from './place-offline.ts';
import { cleanText } from './text.ts';

export const PUBLIC_NOMINATIM = 'https://nominatim.openstreetmap.org';

/** From one request's start to the next one's: the policy's second, and a little for the network's unevenness. */
const SPACING_MS = 1_100;
const TIMEOUT_MS = 15_000;
/** An answer has some 2 KB; one with all the names of a capital 20. */
const MAX_BODY_BYTES = 200_000;
/** Pauses after failures in a row: 2 s, 4 s, … to an hour. What the server asks for (Retry-After) counts when it is longer, up to a day. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
const LONGEST_ASKED_PAUSE_MS = 86_400_000;
const STATE_KEY = 'nominatim';

/** The server cannot be asked for `waitMs` yet; the message says why, for people. */
export class NominatimAway extends Error {
  readonly waitMs: number;
  constructor(message: string, waitMs: number) { super(message); this.name = 'NominatimAway'; this.waitMs = waitMs; }
}

export interface Nominatim {
  /**
   * Names for a position, or undefined where the server knows nothing there. What the answer lacks is filled from `offline`.
   * Waits for its turn. Throws NominatimAway for everything else that can happen.
   */
  name(latitude: number, longitude: number, offline: PlaceNames, signal: AbortSignal): Promise<PlaceNames | undefined>;
}

export interface NominatimOptions {
  /** Where `/reverse` lies; null is the public server. As `checkNominatimUrl` (protocol/nominatim-url.ts) passed it. */
  url: string | null;
  catalog: Catalog;
  now?(): number;
  sleep?(ms: number, signal: AbortSignal): Promise<void>;
}

const degrees = (most: number) => z.union([z.number(), z.string().min(1)]).transform(Number).refine((value) => Math.abs(value) <= most);
const Found = z.object({
  lat: degrees(90), lon: degrees(180), address: z.record(z.string(), z.unknown()),
  boundingbox: z.tuple([degrees(90), degrees(90), degrees(180), degrees(180)]).nullable().catch(null),
});
const Nothing = z.object({ error: z.string().regex(/unable to geocode/i) });

/** When a request was last begun, and how the server at `url` has been doing. Survives restarts. */
const State = z.object({ url: z.string(), last_ms: z.number(), failures: z.int(), not_before_ms: z.number() });
type State = z.infer<typeof State>;

export function createNominatim(options: NominatimOptions): Nominatim {
  const { catalog } = options;
  const url = options.url ?? PUBLIC_NOMINATIM;
  const host = new URL(url).host;
  const now = options.now ?? (() => Date.now());
  const sleep = options.sleep ?? wait;
  let turn: Promise<unknown> = Promise.resolve();

  function readState(): State {
    const state = State.safeParse(readJson(catalog.getMeta(STATE_KEY)));
    const fresh: State = { url, last_ms: 0, failures: 0, not_before_ms: 0 };
    if (!state.success) return fresh;
    // Another server: its predecessor's troubles are not its own, but the pace is ours.
    return state.data.url === url ? state.data : { ...fresh, last_ms: state.data.last_ms };
  }
  const writeState = (state: State) => { catalog.setMeta(STATE_KEY, JSON.stringify(state)); };

  /** Waits for this request's turn and notes its time before it is sent: a crash in between costs a second, never the pace. */
  async function takeTurn(signal: AbortSignal): Promise<State> {
    const state = readState();
    // A clock that was set back must not make it wait for years.
    const pause = Math.min(state.not_before_ms - now(), LONGEST_ASKED_PAUSE_MS);
    if (pause > 0) {
      if (pause > SPACING_MS * 10) throw new NominatimAway(`${host} is left alone for another ${duration(pause)}.`, pause);
      await sleep(pause, signal);
    }
    const spacing = Math.min(state.last_ms + SPACING_MS - now(), SPACING_MS);
    if (spacing > 0) await sleep(spacing, signal);
    signal.throwIfAborted();
    const begun = { ...state, last_ms: now() };
    writeState(begun);
    return begun;
  }

  function fail(state: State, why: string, askedMs = 0): never {
    const failures = Math.min(state.failures + 1, 30);
    const pause = Math.max(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), Math.min(askedMs, LONGEST_ASKED_PAUSE_MS));
    writeState({ ...state, failures, not_before_ms: now() + pause });
    throw new NominatimAway(`${host} could not name a place: ${why}. Offline names are shown; it is asked again later.`, pause);
  }

  async function ask(latitude: number, longitude: number, signal: AbortSignal): Promise<z.infer<typeof Found> | undefined> {
    const state = await takeTurn(signal);
    const query = new URLSearchParams({ format: 'jsonv2', lat: String(latitude), lon: String(longitude), zoom: '18', addressdetails: '1', 'accept-language': 'en' });
    let status = 0, text = '';
    try {
      const response = await fetch(`${url}/reverse?${query}`, {
        headers: { 'user-agent': `Jharokha/${SOFTWARE_VERSION} (self-hosted photo library)`, accept: 'application/json' },
        redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      status = response.status;
      if (status !== 200) {
        await response.body?.cancel();
        return fail(state, status === 429 ? 'it is asked too much' : `it answered ${status}`, retryAfter(response.headers.get('retry-after'), now()));
      }
      text = await readBounded(response);
    } catch (error) {
      if (signal.aborted || error instanceof NominatimAway) throw error;
      return fail(state, messageOf(error));
    }
    const json = readJson(text);
    if (Nothing.safeParse(json).success) { writeState({ ...state, failures: 0, not_before_ms: 0 }); return undefined; }
    const found = Found.safeParse(json);
    if (!found.success) return fail(state, 'its answer is not Nominatim\'s format');
    writeState({ ...state, failures: 0, not_before_ms: 0 });
    return found.data;
  }

  return {
    name(latitude, longitude, offline, signal) {
      // One at a time, whoever asks.
      const mine = turn.then(() => ask(latitude, longitude, signal)).then((found) => (found ? namesOf(found, latitude, longitude, offline) : undefined));
      turn = mine.catch(() => {});
      return mine;
    },
  };
}

function namesOf({ lat, lon, boundingbox, address }: z.infer<typeof Found>, latitude: number, longitude: number, offline: PlaceNames): PlaceNames {
  const first = (...keys: string[]) => keys.reduce<string | null>((found, key) => found ?? cleanText(address[key]), null);
  const city = first('city', 'town', 'village', 'municipality', 'hamlet');
  const code = first('country_code')?.toUpperCase() ?? '';
  const inside = boundingbox !== null && latitude >= boundingbox[0] && latitude <= boundingbox[1] && longitude >= boundingbox[2] && longitude <= boundingbox[3];
  return {
    source: 'nominatim', zone: offline.zone,
    street: first('road', 'pedestrian', 'square', 'footway', 'path', 'cycleway'),
    neighbourhood: first('neighbourhood', 'quarter', 'suburb', 'city_district', 'borough'),
    // In open country it names no place that people live in: the nearest one then, and how far it is.
    city: city ?? offline.city,
    region: first('state', 'province', 'region', 'state_district', 'county') ?? offline.region,
    country: first('country') ?? offline.country, country_code: /^[A-Z]{2}$/.test(code) ? code : offline.country_code,
    distance_m: city === null ? offline.distance_m : inside ? 0 : Math.round(distance(longitude, latitude, lon, lat) * 1000),
  };
}

/** The body as text; throws beyond MAX_BODY_BYTES without reading on. */
async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new Error('its answer is far too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Milliseconds of a Retry-After: seconds or a date. */
function retryAfter(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

function readJson(text: string | undefined): unknown {
  try { return JSON.parse(text ?? ''); } catch { return undefined; }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  return error.cause instanceof Error ? error.cause.message || 'the connection broke' : error.message;
}

function duration(ms: number): string { return ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`; }

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    const stop = () => { clearTimeout(timer); fail(signal.reason as Error); };
    const timer = setTimeout(() => { signal.removeEventListener('abort', stop); done(); }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

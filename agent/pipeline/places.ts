// The stage that names places. The Worker says which cells it wants named; each is looked up in the catalog first, then offline,
// and then, where the owner has chosen it, asked of a Nominatim server in the background. Runs beside scanning and pushing,
// and holds up neither: what it cannot do now it does at the next wake.
import type { AgentOptions } from '../../protocol/link.ts';
import type { WantedPlace } from '../../protocol/rows.ts';
import { PLACE_RANK_NOMINATIM, PLACE_RANK_OFFLINE } from '../../protocol/versions.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { hasPlacesToPush, keepPlace, readPlace, type KeptPlace } from '../catalog/places.ts';
import type { Nominatim } from './nominatim.ts';
import type { OfflineGeocoder } from './place-offline.ts';

export interface PlacesContext {
  catalog: Catalog;
  /** Cells that the Worker wants named better than below `rank`: a page of them, those with the least first. Throws where the Worker is out of reach. */
  wanted(rank: number): Promise<WantedPlace[]>;
  /** Pushes what waits; throws where the Worker is out of reach. */
  push(): Promise<void>;
  options(): AgentOptions;
  signal: AbortSignal;
  /** What went wrong, once for each message; it is tried again with the next wake. */
  onTrouble(error: unknown): void;
  /** Called when `naming` changes. */
  onChange?(): void;
  /** For tests: what time it is and how to wait. */
  clock?: { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> };
}

export interface Places {
  /** Something may want a name: looks as soon as it can, in the background. */
  wake(): void;
  /** Resolves once everything that is wanted now has its offline names and they are pushed. Never rejects: see `onTrouble`. */
  settled(): Promise<void>;
  /** Resolves when all has been asked of the server, or it has to be left alone, or `atMostMs` have passed. */
  asked(atMostMs: number): Promise<void>;
  /** Whether the offline names are being looked up. */
  naming(): boolean;
  /** After `signal` has aborted: resolves when nothing uses the catalog any more. */
  ended(): Promise<void>;
}

/** Answers of a server pushed together: at one a second, people see new names every few seconds. */
const PUSH_EVERY = 5;
/** A server that must be left alone for longer is asked again by a later wake. */
const PATIENCE_MS = 10_000;
/** Timers know no longer wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createPlaces(ctx: PlacesContext): Places {
  let naming: Promise<void> | undefined;
  let asking: Promise<void> | undefined;
  let again = false;
  let offline: OfflineGeocoder | undefined;
  let server: { url: string | null; client: Nominatim } | undefined;
  let timer: NodeJS.Timeout | undefined;
  ctx.signal.addEventListener('abort', () => { clearTimeout(timer); });
  const said = new Set<string>();
  const sayOnce = (error: unknown) => {
    const line = error instanceof Error ? error.message : String(error);
    if (ctx.signal.aborted || said.has(line)) return;
    said.add(line);
    ctx.onTrouble(error);
  };

  function wake(): void {
    again = true;
    if (ctx.signal.aborted) return;
    naming ??= nameAll().catch(sayOnce).finally(() => {
      naming = undefined;
      ctx.onChange?.();
      if (ctx.signal.aborted) return;
      if (again) wake();
      else if (ctx.options().geocoder === 'nominatim') asking ??= askAll().catch(sayOnce).finally(() => { asking = undefined; });
    });
  }

  /** Page by page until the Worker wants nothing that was not named in this run already (a row that it refused stays wanted). */
  async function nameAll(): Promise<void> {
    const seen = new Set<string>();
    while (again && !ctx.signal.aborted) {
      again = false;
      for (;;) {
        const page = (await ctx.wanted(PLACE_RANK_OFFLINE)).filter(({ cell }) => !seen.has(cell));
        if (page.length === 0 || ctx.signal.aborted) break;
        for (const place of page) seen.add(place.cell);
        await nameOffline(page);
        await pushPlaces();
      }
    }
  }

  async function nameOffline(page: readonly WantedPlace[]): Promise<void> {
    const geocoder = await openOffline();
    const named: KeptPlace[] = [];
    for (const { cell, latitude, longitude } of page) {
      named.push(readPlace(ctx.catalog, cell, PLACE_RANK_OFFLINE) ?? { cell, rank: PLACE_RANK_OFFLINE, ...await geocoder.name(latitude, longitude) });
    }
    ctx.catalog.transact(() => { for (const place of named) keepPlace(ctx.catalog, place); });
  }

  /** One cell after the other, at the server's pace; each answer is kept before the next is asked for. */
  async function askAll(): Promise<void> {
    const { createNominatim, NominatimAway } = await import('./nominatim.ts');
    const clientOf = (url: string | null): Nominatim => {
      if (!server || server.url !== url) server = { url, client: createNominatim({ url, catalog: ctx.catalog, ...ctx.clock }) };
      return server.client;
    };
    const seen = new Set<string>();
    for (;;) {
      const page = (await ctx.wanted(PLACE_RANK_NOMINATIM)).filter(({ cell }) => !seen.has(cell));
      if (page.length === 0) return;
      let asked = 0;
      for (const place of page) {
        const { geocoder, nominatim_url } = ctx.options();
        if (ctx.signal.aborted || geocoder !== 'nominatim') return;
        seen.add(place.cell);
        const kept = readPlace(ctx.catalog, place.cell, PLACE_RANK_NOMINATIM);
        try { keepPlace(ctx.catalog, kept ?? await ask(clientOf(nominatim_url), place)); } catch (error) {
          if (!(error instanceof NominatimAway)) throw error;
          sayOnce(error);
          await pushPlaces();
          if (error.waitMs > PATIENCE_MS) { wakeIn(error.waitMs); return; }
          // It gets another turn, after the others: whatever is wrong with it must not hold them up.
          seen.delete(place.cell);
        }
        asked += 1;
        if (asked % PUSH_EVERY === 0) await pushPlaces();
      }
      await pushPlaces();
    }
  }

  /** An answer of the server, or the offline one where it knows nothing: it is not asked again either way. */
  async function ask(client: Nominatim, { cell, latitude, longitude }: WantedPlace): Promise<KeptPlace> {
    const known = readPlace(ctx.catalog, cell, PLACE_RANK_OFFLINE) ?? await (await openOffline()).name(latitude, longitude);
    return { ...known, ...await client.name(latitude, longitude, known, ctx.signal), cell, rank: PLACE_RANK_NOMINATIM };
  }

  // Nothing of either is loaded until a place is wanted: a start and a re-scan without news must not pay for it.
  async function openOffline(): Promise<OfflineGeocoder> {
    return offline ??= (await import('./place-offline.ts')).createOfflineGeocoder();
  }

  /** The server wants to be left alone for so long; the next start looks again by itself. */
  function wakeIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(wake, Math.min(ms, MAX_TIMER_MS)).unref();
  }

  async function pushPlaces(): Promise<void> {
    while (!ctx.signal.aborted && hasPlacesToPush(ctx.catalog)) await ctx.push();
  }

  return {
    wake,
    async settled() { wake(); while (naming) await naming; },
    async asked(atMostMs) {
      let late: NodeJS.Timeout | undefined;
      await Promise.race([asking, new Promise<void>((done) => { late = setTimeout(done, atMostMs); })]);
      clearTimeout(late);
    },
    naming: () => naming !== undefined,
    async ended() { await naming; await asking; },
  };
}

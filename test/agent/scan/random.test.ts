// The same library whatever happened on the way: random changes of a tree and crashes at random moments, by seed.
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Catalog } from '../../../agent/catalog/catalog.ts';
import { openCatalog } from '../../../agent/catalog/catalog.ts';
import { listRoots } from '../../../agent/catalog/roots.ts';
import { seededRandom } from '../../../agent/files/faults.ts';
import type { ScanContext } from '../../../agent/pipeline/context.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { renderPending } from '../../../agent/pipeline/render-pending.ts';
import { answerQuestion, scanRoot } from '../../../agent/pipeline/scan.ts';
import { createScene, dumpCatalog, png, put, sumOf, type Scene } from './scene.ts';

let s: Scene | null = null;
afterEach(() => { s?.close(); s = null; });

function filesBelow(top: string): string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name)).sort();
}

/** A few random changes: new, changed, moved, linked, deleted files, moved folders. */
function mutate(top: string, random: () => number, from: number): number {
  let seed = from;
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  // What the reader makes depends on the suffix, so all copies of some bytes have the same.
  const place = (suffix: string): string => join(top, `d${Math.floor(random() * 4)}`, random() < 0.4 ? `e${Math.floor(random() * 3)}` : '', `f${Math.floor(random() * 1000)}${suffix}.png`);
  const suffixOf = (path: string): string => /-later|-norest/.exec(path)?.[0] ?? '';
  for (let i = 0; i < 12; i += 1) {
    const files = filesBelow(top);
    const one = pick(files);
    const what = random();
    seed += 1;
    // Every write has an mtime of its own, so that size and mtime never tell a lie.
    if (what < 0.08 || !one) put(place(''), png(from % 7), 1_600_000_000 + seed);
    else if (what < 0.35) put(place(pick(['', '', '-later', '-norest']) ?? ''), png(seed), 1_600_000_000 + seed);
    else if (what < 0.5) put(one, png(seed), 1_600_000_000 + seed);
    else if (what < 0.7) { const to = place(suffixOf(one)); mkdirSync(dirname(to), { recursive: true }); renameSync(one, to); }
    else if (what < 0.78) { const to = place(suffixOf(one)); mkdirSync(dirname(to), { recursive: true }); if (!existsSync(to)) linkSync(one, to); }
    else if (what < 0.86) put(join(top, `d${seed % 4}`, `n${seed}.${pick(['txt', 'xmp', 'jpg'])}`), seed % 3 ? 'text' : '', 1_600_000_000 + seed);
    else if (what < 0.93) rmSync(one);
    else { const dirs = readdirSync(top).filter((n) => n !== 'moved' && statSync(join(top, n)).isDirectory()); const d = pick(dirs); if (d && !existsSync(join(top, 'moved', d))) { mkdirSync(join(top, 'moved'), { recursive: true }); renameSync(join(top, d), join(top, 'moved', d)); } }
  }
  return seed;
}

/** What is there now, as a catalog says it: without rows of what is missing, and assets without a copy. */
function present(catalog: Catalog): unknown {
  const all = (sql: string): unknown[] => catalog.db.prepare(sql).all().map((r) => ({ ...r }));
  return {
    files: all('SELECT dir, name, size_bytes, mtime_ms, seen_as, sha256, inode, time_claims FROM files WHERE missing_since_ms IS NULL ORDER BY dir, name'),
    assets: all("SELECT sha256, kind, mime, size_bytes, json_extract(facts, '$.width') AS w FROM assets WHERE sha256 IN (SELECT sha256 FROM files WHERE missing_since_ms IS NULL) ORDER BY sha256"),
    problems: all('SELECT path, code, reason FROM problems WHERE solved = 0 ORDER BY path'),
  };
}

test.each([1, 2, 3, 4, 5, 6])('a catalog kept through random changes says what a fresh one says (seed %i)', async (seed) => {
  s = createScene(seed % 2 ? {} : { volume: { fs_type: 'exfat' } });
  const random = seededRandom(seed);
  let next = seed * 10_000;
  const root = await s.addRoot();
  for (let round = 0; round < 6; round += 1) {
    next = mutate(s.top, random, next);
    const report = await s.scan(root);
    expect(sumOf(report)).toBe(report.counts.seen);
    expect(report.counts.seen).toBe(filesBelow(s.top).length);
    if (report.question) await answerQuestion(s.ctx, report.scan_id, 'gone');
    // What the Worker was told and the files that are there never contradict each other.
    for (const path of s.missing()) expect(existsSync(join(s.top, path)), path).toBe(false);
  }
  const fresh = openCatalog(':memory:');
  const ctx = { ...s.ctx, catalog: fresh };
  await scanRoot(ctx, await addRoot(ctx, s.top));
  expect(present(s.catalog)).toEqual(present(fresh));
  fresh.close();
});

class Crash extends Error {}

/** The catalog as it is for a process that dies at its n-th transaction, before or after the commit. */
function crashing(catalog: Catalog, at: number, after: boolean): Catalog {
  let n = 0;
  let depth = 0;
  return {
    ...catalog,
    transact: (fn) => {
      if (depth > 0) return catalog.transact(fn);
      n += 1;
      if (n > at || (n === at && !after)) throw new Crash();
      depth += 1;
      try { const result = catalog.transact(fn); if (n === at) throw new Crash(); return result; } finally { depth -= 1; }
    },
  };
}

test.each([11, 12, 13, 14, 15, 16, 17, 18])('killed at random moments and run again, it equals an uninterrupted run (seed %i)', async (seed) => {
  s = createScene();
  const random = seededRandom(seed);
  let next = seed * 10_000;
  const whole = openCatalog(':memory:');
  const straight = { ...s.ctx, catalog: whole };
  await addRoot(straight, s.top);
  await s.addRoot();
  let crashes = 0;
  for (let round = 0; round < 3; round += 1) {
    next = mutate(s.top, random, mutate(s.top, random, next));
    for (let tries = 0; tries < 5; tries += 1) {
      const ctx = { ...s.ctx, catalog: crashing(s.catalog, 1 + Math.floor(random() * 14), random() < 0.5) };
      try { await runOnce(ctx); } catch (error) { if (!(error instanceof Crash)) throw error; crashes += 1; }
    }
    await runOnce(s.ctx);
    await runOnce(straight);
    expect(dumpCatalog(s.catalog)).toEqual(dumpCatalog(whole));
    expect(told(s.catalog)).toEqual(told(whole));
  }
  expect(crashes).toBeGreaterThan(0);
  whole.close();
});

async function runOnce(ctx: ScanContext): Promise<void> {
  const root = listRoots(ctx.catalog)[0];
  if (!root) throw new Error('no root');
  const report = await scanRoot(ctx, root);
  if (report.question) await answerQuestion(ctx, report.scan_id, 'gone');
  await renderPending(ctx);
}

/** Every path that the Worker is told of, once. */
function told(catalog: Catalog): unknown {
  const bodies = catalog.db.prepare('SELECT body FROM completions').all().map((r) => JSON.parse(r['body'] as string) as { missing: string[]; moved_from: string[] });
  return { missing: bodies.flatMap((b) => b.missing).sort(), moved: bodies.flatMap((b) => b.moved_from).sort() };
}

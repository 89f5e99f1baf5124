// A drive, a catalog and a reader, set up for one test; and pictures that are small, real and distinct.
import { createHash } from 'node:crypto';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { openCatalog, type Catalog } from '../../../agent/catalog/catalog.ts';
import type { Root } from '../../../agent/catalog/roots.ts';
import { getRoot, listRoots } from '../../../agent/catalog/roots.ts';
import { createFileAccess, type FileAccess } from '../../../agent/files/access.ts';
import { withFaults, type FaultyAccess } from '../../../agent/files/faults.ts';
import type { ScanContext, ScanReport } from '../../../agent/pipeline/context.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { scanRoot } from '../../../agent/pipeline/scan.ts';
import { createVolumes, type Volumes } from '../../../agent/volumes/volumes.ts';
import { createFakeVolumes, type FakeVolume, type FakeVolumes, type Ground } from '../../support/fake-volumes.ts';
import { createTinyReader, type TinyReader } from '../../support/tiny-reader.ts';

/** Long before any test runs, so that no file is racy unless a test wants it so. */
const OLD_S = 1_600_000_000;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}

/** A PNG of 4 x 3 pixels in one colour; each seed below 16 million gives other bytes. */
export function png(seed: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(4, 0);
  head.writeUInt32BE(3, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = [0, ...Array.from({ length: 4 }, () => [seed >> 16 & 255, seed >> 8 & 255, seed & 255]).flat()];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.from([...row, ...row, ...row]))), chunk('IEND', Buffer.alloc(0))]);
}

export function sha(bytes: Uint8Array): string { return createHash('sha256').update(bytes).digest('hex'); }

/** Writes bytes with an old mtime, making the folders. */
export function put(path: string, bytes: Uint8Array | string, mtimeS = OLD_S): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  utimesSync(path, mtimeS, mtimeS);
}

export interface Scene {
  drives: FakeVolumes; volumes: Volumes; catalog: Catalog; reader: TinyReader; files: FaultyAccess; ctx: ScanContext;
  /** Mount point of the first drive, `blue`. */
  top: string;
  at(path: string): string;
  picture(path: string, seed: number, mtimeS?: number): void;
  addRoot(path?: string, excludes?: string[]): Promise<Root>;
  scan(root?: Root): Promise<ScanReport>;
  /** What the catalog says, less clocks, counters and random ids: equal for equal libraries. */
  dump(): unknown;
  missing(): string[];
  close(): void;
}

export function createScene(options: { volume?: Partial<FakeVolume>; platform?: NodeJS.Platform; catalogFile?: string; ground?: Ground | undefined } = {}): Scene {
  const drives = createFakeVolumes(options.ground);
  const top = drives.plugIn('blue', options.volume);
  const volumes = createVolumes({ testFile: drives.file });
  const catalog = openCatalog(options.catalogFile ?? ':memory:');
  const reader = createTinyReader();
  const real: FileAccess = createFileAccess(options.platform ? { platform: options.platform } : {});
  const files = withFaults(real, []);
  const ctx: ScanContext = { files, volumes, catalog, reader, now: () => Date.now(), ownFolders: [join(top, 'data')], concurrency: 2 };
  const scene: Scene = {
    drives, volumes, catalog, reader, files, ctx, top,
    at: (path) => join(top, path),
    picture: (path, seed, mtimeS) => put(join(top, path), png(seed), mtimeS ?? OLD_S + seed),
    addRoot: (path = '', excludes) => addRoot(ctx, join(top, path), excludes),
    scan: async (root) => {
      const given = root ?? listRoots(catalog)[0];
      const fresh = given && getRoot(catalog, given.root_id);
      if (!fresh) throw new Error('no root');
      return scanRoot(ctx, fresh);
    },
    dump: () => dumpCatalog(catalog),
    missing: () => catalog.db.prepare("SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS p FROM files WHERE missing_since_ms IS NOT NULL ORDER BY 1").all().map((r) => r['p'] as string),
    close: () => { catalog.close(); drives.remove(); },
  };
  return scene;
}

export function dumpCatalog(catalog: Catalog): unknown {
  const all = (sql: string): unknown[] => catalog.db.prepare(sql).all().map((r) => ({ ...r }));
  return {
    files: all('SELECT volume_id, dir, name, size_bytes, mtime_ms, seen_as, sha256, in_package, time_claims, missing_since_ms IS NOT NULL AS missing FROM files ORDER BY volume_id, dir, name'),
    assets: all('SELECT sha256, kind, facts, facts_version, grid_version, preview_version FROM assets ORDER BY sha256'),
    problems: all('SELECT volume_id, path, code, reason, stage FROM problems WHERE solved = 0 ORDER BY volume_id, path'),
    spool: all('SELECT key, sha256 FROM spool ORDER BY key'),
  };
}

/** Promise 8: the parts are the whole. */
export function sumOf(report: ScanReport): number {
  const c = report.counts;
  return c.indexed + c.changed + c.moved + c.unchanged + c.duplicate + c.sidecar + c.ignored + c.failed;
}

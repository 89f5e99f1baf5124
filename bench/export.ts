// bench export: an order to export with its XMP files, from its plan to its last receipt, against `cp` of the same files, followed by
// nothing; with `sync`; and against what comes to the same: `cp`, `sync`, `sha256sum` of both sides. An export hashes what it reads, waits until the
// drive has each file, and reads it back, which a bare `cp` does none of. Same disk, same state of the cache, in turns.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carryOut, dropCaches, makeLibrary, median } from './order-library.ts';

const WANTED = 0.9;
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);

const library = await makeLibrary(Number(process.env['FILES'] ?? 2_000));
try {
  const list = join(library.base, 'list');
  writeFileSync(list, library.paths.map((p) => `${p}\0`).join(''));
  const out = join(library.base, 'out');
  const empty = (): void => { rmSync(out, { recursive: true, force: true }); mkdirSync(out); spawnSync('sync'); dropCaches(); };
  const run = (command: string): number => {
    const started = performance.now();
    if (spawnSync('sh', ['-c', command]).status !== 0) throw new Error(`${command} failed`);
    return performance.now() - started;
  };
  const rows: { ours: number; bare: number; synced: number; same: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    empty();
    const bare = run(`xargs -0 cp --preserve=timestamps -t '${out}' < '${list}'`);
    empty();
    const synced = run(`xargs -0 cp --preserve=timestamps -t '${out}' < '${list}' && sync`);
    empty();
    const same = run(`xargs -0 cp --preserve=timestamps -t '${out}' < '${list}' && sync && xargs -0 sha256sum < '${list}' > /dev/null && find '${out}' -type f -print0 | xargs -0 sha256sum > /dev/null`);
    empty();
    rows.push({ ours: await carryOut(library, round, { kind: 'export', sha256s: library.sha256s, volume_id: '', folder: out, template: '{year}/{album}', sidecars: true }, 'exported'), bare, synced, same });
  }
  const speed = (ms: number) => `${Math.round(library.bytes / 1e3 / ms)} MB/s`;
  const least = (key: 'ours' | 'bare' | 'synced' | 'same') => speed(Math.min(...rows.map((r) => r[key])));
  const bare = rows.map((r) => r.bare / r.ours);
  const synced = rows.map((r) => r.synced / r.ours);
  const same = rows.map((r) => r.same / r.ours);
  const each = (ratios: number[]) => ratios.map((r) => r.toFixed(2)).join(', ');
  console.log(`${library.paths.length} files, ${(library.bytes / 1e9).toFixed(1)} GB: export ${least('ours')}, cp ${least('bare')}, cp + sync ${least('synced')}, cp + sync + sha256sum of both ${least('same')}`);
  console.log(`${median(bare).toFixed(2)} of the speed of cp alone (rounds ${each(bare)}); ${median(synced).toFixed(2)} of cp + sync (rounds ${each(synced)}); ${median(same).toFixed(2)} of cp with the same proof (wanted ${WANTED} or more; rounds ${each(same)})`);
  console.log(JSON.stringify({ bench: 'export', files: library.paths.length, bytes: library.bytes, ratio_bare: Number(median(bare).toFixed(3)), ratio_synced: Number(median(synced).toFixed(3)), ratio: Number(median(same).toFixed(3)) }));
} finally { library.remove(); }
process.exit(0);

// One first index of a folder, through the real agent and Worker on throw-away data: how long, and when all was browsable.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDataDir } from '../agent/config.ts';
import { createEngine } from '../agent/commands/engine.ts';
import { startMiniflare } from '../agent/commands/worker-host.ts';

const [folder = '', expected = '0'] = process.argv.slice(2);
const count = Number(expected);
const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-bench-'));
const identity = openDataDir(dataDir);
const host = await startMiniflare({ dataDir, port: 0, token: identity.token });
const engine = await createEngine({ dataDir, identity, worker: { url: host.url, token: identity.token }, watch: false, warn: (line) => { console.error(line); } });
const ids = await engine.addFolders([folder]);
const db = new DatabaseSync(join(dataDir, 'catalog.db'), { readOnly: true });
const shown = db.prepare('SELECT count(*) AS n FROM assets WHERE grid_pushed > 0');
let browsable = 0;
let rss = 0;
const started = performance.now();
const poll = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
  if (browsable === 0 && Number(shown.get()?.['n']) >= count) browsable = performance.now() - started;
}, 100);
const report = await engine.index(ids);
const whole = performance.now() - started;
clearInterval(poll);
const previews = Number(db.prepare('SELECT count(*) AS n FROM assets WHERE preview_pushed > 0').get()?.['n']);
db.close();
await engine.close();
await host.close();
rmSync(dataDir, { recursive: true, force: true });
if (report.indexed !== count || previews !== count) {
  console.error(`indexed ${report.indexed} and rendered ${previews} of ${count}: ${JSON.stringify(report.failed.slice(0, 3))}`);
  process.exit(1);
}
console.log(JSON.stringify({ whole, browsable: browsable || whole, rssMb: rss / 2 ** 20 }));
process.exit(0);

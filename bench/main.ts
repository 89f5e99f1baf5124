// `npm run bench [-- NAME…]`: runs the benches one after the other (never side by side: two cores) and prints each one's
// ratio against its floor beside the figure that is asked of it. Nothing here is a test; `npm test` times nothing.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** In order of what a newcomer meets. */
const BENCHES = ['setup', 'index', 'rescan', 'ingest', 'serve', 'metadata', 'matching', 'pairing', 'proxy', 'verify', 'export', 'embed', 'recall', 'search', 'search-request', 'timeline'] as const;

// What begins with `--`, and what follows it, is the bench's own.
const flagAt = process.argv.findIndex((each) => each.startsWith('--'));
const asked = process.argv.slice(2, flagAt < 0 ? undefined : flagAt);
const flags = flagAt < 0 ? [] : process.argv.slice(flagAt);
const unknown = asked.filter((name) => !(BENCHES as readonly string[]).includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. The benches: ${BENCHES.join(', ')}.`);
  process.exit(2);
}
const there = new Set(readdirSync(HERE).map((f) => f.replace(/\.ts$/, '')));
console.log(`${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, ${process.platform} ${process.arch}`);
let failed = 0;
for (const name of BENCHES.filter((b) => there.has(b) && (asked.length === 0 || asked.includes(b)))) {
  console.log(`\n── ${name}`);
  const done = spawnSync('tsx', [join(HERE, `${name}.ts`), ...flags], { stdio: 'inherit' });
  if (done.status !== 0) { failed += 1; console.error(`✗ ${name} did not finish`); }
}
process.exit(failed === 0 ? 0 : 1);

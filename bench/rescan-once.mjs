// One re-scan as a process of its own: opens the catalog, walks, pushes the mark, prints the report.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_INPUTS, agentFolder, fingerprint } from '../scripts/fingerprint.mjs';

// As agent/start.mjs does: the bundle, which bench/rescan.ts has built.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
enableCompileCache(join(ROOT, '.build/compile-cache'));
const bundle = agentFolder(ROOT, fingerprint(ROOT, AGENT_INPUTS));
const [{ openDataDir }, { createEngine }] = await Promise.all([import(join(bundle, 'config.js')), import(join(bundle, 'engine.js'))]);

const [dataDir = '', url = '', token = ''] = process.argv.slice(2);
const engine = await createEngine({ dataDir, identity: openDataDir(dataDir), worker: { url, token }, watch: false, warn: (line) => { console.error(line); } });
const report = await engine.index(null);
console.log(JSON.stringify({ ...report, failed: report.failed.length }));
process.exit(0);

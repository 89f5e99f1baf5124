// One re-scan as a process of its own: opens the catalog, walks, pushes the mark, prints the report.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// As agent/start.mjs does.
enableCompileCache(fileURLToPath(new URL('../.build/compile-cache', import.meta.url)));
const [{ openDataDir }, { createEngine }] = await Promise.all([import('../agent/config.ts'), import('../agent/commands/engine.ts')]);

const [dataDir = '', url = '', token = ''] = process.argv.slice(2);
const engine = await createEngine({ dataDir, identity: openDataDir(dataDir), worker: { url, token }, watch: false, warn: (line) => { console.error(line); } });
const report = await engine.index(null);
console.log(JSON.stringify({ ...report, failed: report.failed.length }));
process.exit(0);

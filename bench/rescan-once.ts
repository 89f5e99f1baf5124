// One re-scan as a process of its own: opens the catalog, walks, pushes the mark, prints the report.
import { openDataDir } from '../agent/config.ts';
import { createEngine } from '../agent/commands/engine.ts';

const [dataDir = '', url = '', token = ''] = process.argv.slice(2);
const engine = await createEngine({ dataDir, identity: openDataDir(dataDir), worker: { url, token }, watch: false, warn: (line) => { console.error(line); } });
const report = await engine.index(null);
console.log(JSON.stringify({ ...report, failed: report.failed.length }));
process.exit(0);

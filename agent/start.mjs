// The command line's first file: plain JavaScript, so that Node need not load its type stripper. It runs the agent from
// one bundle, built again when a source has changed, with the compile cache on: half of the start-up time of the sources
// by themselves (docs/adr/0003).
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AGENT_INPUTS, agentFolder, fingerprint, isFresh } from '../scripts/fingerprint.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
enableCompileCache(join(ROOT, '.build/compile-cache'));
const stamp = fingerprint(ROOT, AGENT_INPUTS);
const main = join(agentFolder(ROOT, stamp), 'main.js');
if (!isFresh(main, stamp)) await (await import('../scripts/build.ts')).buildAgent();
await import(pathToFileURL(main).href);

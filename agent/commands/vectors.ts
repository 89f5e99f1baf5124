// `vectors`: what the search by meaning has, straight from the catalog, and how its model is. `vectors rebuild`: everything is
// written into the engine anew, from the catalog alone.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { chosenSpace, countSpace, countVectorsToMake, countVectorsToPush, listFailedVectors, readTold } from '../catalog/vectors.ts';
import { CommandError, EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import type { AgentStatus, SearchStatus } from '../../protocol/link.ts';
import { connectOrStart, type Instance } from './instance.ts';
import { clearProgress, printJson, printLine, safe, showLine } from './print.ts';

const POLL_MS = 250;
/** No vector written for so long: whatever stands in the way is said, and the rest is written when it is gone. */
const STUCK_MS = 60_000;
/** Failures named on a terminal. */
const SHOWN_FAILURES = 20;

/** What `--json` prints. `searched_in`: the space that searches are made in now; another one than `space` while that is being made. */
interface VectorsReport {
  engine: SearchStatus['engine'] | null; model: SearchStatus['profile'] | null; model_state: SearchStatus['state'] | null; message: string | null;
  space: string | null; searched_in: string | null; made: number; written: number; to_make: number; to_write: number; failed: { sha256: string; reason: string }[];
}

export async function run(options: Options): Promise<number> {
  const [what, ...more] = options.args;
  if (more.length > 0 || (what !== undefined && what !== 'rebuild')) throw new CommandError('vectors takes nothing, or rebuild: npm run -s jharokha -- vectors [rebuild]', EXIT.usage);
  const instance = await connectOrStart(options);
  const db = new DatabaseSync(join(options.dataDir, 'catalog.db'), { timeout: 5_000, readOnly: true });
  try {
    if (what === 'rebuild') {
      const { vectors } = await instance.ask('rebuild_vectors', {});
      await waitWritten(instance, db, vectors);
    }
    const report = readReport(db, await readStatus(instance));
    if (options.json) printJson(report);
    else printReport(report);
    if (what === 'rebuild' && report.to_write > 0) throw new CommandError(`${report.to_write.toLocaleString('en')} vectors could not be written yet${report.message ? `: ${safe(report.message)}` : ''}. They are written as soon as the engine takes them.`);
    return EXIT.ok;
  } finally { db.close(); await instance.close(); }
}

async function readStatus(instance: Instance): Promise<SearchStatus | undefined> {
  if (instance.engine) return instance.engine.status().search;
  return ((await (await callWorker(instance.worker, '/api/status')).json()) as { status: AgentStatus | null }).status?.search;
}

async function waitWritten(instance: Instance, db: DatabaseSync, vectors: number): Promise<void> {
  // An instance of this command's own does nothing in the background.
  const settled = instance.engine?.writeVectors();
  let left = vectors;
  for (let news = Date.now(); Date.now() - news < STUCK_MS;) {
    const now = countVectorsToPush(db);
    if (now !== left) news = Date.now();
    left = now;
    if (left === 0) break;
    showLine(`Vectors: ${left.toLocaleString('en')} to go`);
    if (settled && await Promise.race([settled.then(() => true), sleep(POLL_MS, false)])) break;
    if (!settled) await sleep(POLL_MS);
  }
  await settled;
  clearProgress();
}

function readReport(db: DatabaseSync, search: SearchStatus | undefined): VectorsReport {
  const chosen = chosenSpace(db);
  const counts = chosen ? countSpace(db, chosen.id) : { made: 0, failed: 0, written: 0 };
  return {
    engine: search?.engine ?? null, model: search?.profile ?? null, model_state: search?.state ?? null, message: search?.message ?? null,
    space: chosen?.key ?? null, searched_in: readTold(db)?.space ?? null, made: counts.made, written: counts.written, to_make: countVectorsToMake(db), to_write: countVectorsToPush(db),
    failed: chosen ? listFailedVectors(db, chosen.id, counts.failed) : [],
  };
}

const ENGINES: Record<SearchStatus['engine'], string> = { embedded: 'the built-in index', qdrant: 'Qdrant', qdrant_link: 'Qdrant, asked by this computer' };
const n = (value: number): string => value.toLocaleString('en');

function printReport(r: VectorsReport): void {
  printLine(`${r.engine ? `Vectors are kept in ${ENGINES[r.engine]}` : 'The agent is away'}; the model is ${r.model_state ?? 'unknown'}${r.model && r.model !== 'off' ? ` (${r.model})` : ''}.`);
  if (r.message) printLine(safe(r.message));
  if (r.space) printLine(`${n(r.made)} made with ${safe(r.space)}, ${n(r.written)} of them written; ${n(r.to_make)} to make${r.failed.length > 0 ? `, ${n(r.failed.length)} could not be made` : ''}.`);
  else printLine(`None made yet; ${n(r.to_make)} to make.`);
  if (r.searched_in && r.searched_in !== r.space) printLine(`Until they are whole, searches are made with ${safe(r.searched_in)}.`);
  for (const f of r.failed.slice(0, SHOWN_FAILURES)) printLine(`  ${f.sha256}: ${safe(f.reason)}`);
  if (r.failed.length > SHOWN_FAILURES) printLine(`  … and ${n(r.failed.length - SHOWN_FAILURES)} more: see --json.`);
}

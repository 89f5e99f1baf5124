// `curation export [FILE]` and `curation import FILE`: what the owner did, into a file and back into a library.
import { resolve } from 'node:path';
import { CURATION_CHUNK_LINES, CURATION_PARTS, MAX_CURATION_CHUNK_BYTES, type ChunkAnswer, type CurationLine, type CurationPart } from '../../protocol/curation.ts';
import { CommandError, EXIT, type Options } from '../config.ts';
import { pushCuration, type WorkerAddress } from '../push/client.ts';
import { exportNightly, readLibrary } from './curation-export.ts';
import { assertWritable, nameOf, readCurationFile, writeCurationFile } from './curation-file.ts';
import { connectOrStart } from './instance.ts';
import { clearProgress, printJson, printLine, safe, showLine } from './print.ts';

const USAGE = 'curation export [FILE], or curation import FILE [--dry-run] [--replace]';
/** A chunk's own fields, and room for what JSON escapes. */
const CHUNK_BYTES = MAX_CURATION_CHUNK_BYTES - 10_000;

export async function run(options: Options): Promise<number> {
  const [what, file, ...more] = options.args;
  if (more.length > 0 || (what !== 'export' && what !== 'import') || (what === 'import' && file === undefined)) throw new CommandError(USAGE, EXIT.usage);
  if (what === 'export' && (options.dryRun || options.replace)) throw new CommandError(`--dry-run and --replace are for an import: ${USAGE}`, EXIT.usage);
  return what === 'export' ? exportTo(options, file === undefined ? null : resolve(file)) : importFrom(options, resolve(file ?? ''));
}

async function exportTo(options: Options, file: string | null): Promise<number> {
  if (file !== null) await assertWritable(file);
  const instance = await connectOrStart(options);
  try {
    const seen = { assets: 0 };
    const nowMs = Date.now();
    const done = file === null ? await exportNightly(instance.worker, options.dataDir, nowMs) : await writeCurationFile({ file, lines: readLibrary(instance.worker, seen), assets: () => seen.assets, nowMs });
    const { counts } = done.head;
    if (options.json) printJson({ file: done.file || null, written: done.written, counts, content_sha256: done.head.content_sha256 });
    else if (done.written) printLine(`${countsText(counts)} in ${safe(done.file)}`);
    else printLine(done.file === '' ? 'There is nothing of yours to keep yet.' : `Nothing has changed since ${safe(done.file)}`);
    return EXIT.ok;
  } finally { await instance.close(); }
}

async function importFrom(options: Options, file: string): Promise<number> {
  // All of it, before an instance is even started: a damaged file changes nothing.
  const head = await readCurationFile(file);
  const instance = await connectOrStart(options);
  try {
    const { imported, edits } = await sendFile(instance.worker, file, { replace: options.replace, dry_run: options.dryRun, total: Object.values(head.counts).reduce((n, c) => n + c, 0) });
    clearProgress();
    if (options.json) { printJson({ file, dry_run: options.dryRun, exported_at: head.exported_at, imported, edits }); return EXIT.ok; }
    printLine(`${options.dryRun ? 'Would read' : 'Read'} ${safe(file)}, written ${head.exported_at.slice(0, 16).replace('T', ' ')} UTC.`);
    for (const part of CURATION_PARTS) {
      const { applied, unchanged, kept, waiting } = imported[part];
      if (applied + unchanged + kept === 0) continue;
      const parts = [`${n(applied)} ${options.dryRun ? 'to apply' : 'applied'}`, `${n(unchanged)} as they were`, kept > 0 ? `${n(kept)} left: the library’s own word stands (--replace takes the file’s)` : '', waiting > 0 ? `${n(waiting)} wait for files that are not indexed yet` : ''];
      printLine(`${WORDS[part]}: ${parts.filter((p) => p !== '').join(', ')}.`);
    }
    if (edits.length > 0) printLine('What changed of photos and videos can be undone on the page of changes.');
    return EXIT.ok;
  } finally { await instance.close(); }
}

/** Sends the lines of a file that was checked, a bounded chunk after the other. */
async function sendFile(worker: WorkerAddress, file: string, how: { replace: boolean; dry_run: boolean; total: number }): Promise<{ imported: ChunkAnswer['imported']; edits: number[] }> {
  const imported = Object.fromEntries(CURATION_PARTS.map((part) => [part, { applied: 0, unchanged: 0, kept: 0, waiting: 0 }])) as ChunkAnswer['imported'];
  const edits = new Set<number>();
  let edit: number | null = null;
  let lines: CurationLine[] = [];
  let bytes = 0;
  let sent = 0;
  const send = async (): Promise<void> => {
    if (lines.length === 0) return;
    const answer = await pushCuration(worker, { lines, replace: how.replace, dry_run: how.dry_run, edit_id: edit, name: nameOf(file) });
    edit = answer.edit_id;
    if (edit !== null) edits.add(edit);
    for (const part of CURATION_PARTS) for (const key of ['applied', 'unchanged', 'kept', 'waiting'] as const) imported[part][key] += answer.imported[part][key];
    sent += lines.length;
    lines = [];
    bytes = 0;
    showLine(`Reading back: ${n(sent)} of ${n(how.total)}`);
  };
  try {
    await readCurationFile(file, async (line) => {
      const size = Buffer.byteLength(JSON.stringify(line)) + 1;
      if (lines.length === CURATION_CHUNK_LINES || bytes + size > CHUNK_BYTES) await send();
      lines.push(line);
      bytes += size;
    });
  } catch (error) {
    // It was sound a moment ago.
    if (error instanceof CommandError) throw new CommandError(`${file} changed while it was read, after ${n(sent)} of its lines were read back. Import it again.`);
    throw error;
  }
  await send();
  return { imported, edits: [...edits] };
}

const n = (value: number): string => value.toLocaleString('en');
const WORDS: Record<CurationPart, string> = { setting: 'Settings', volume: 'Names of drives', album: 'Albums', asset: 'Photos and videos', member: 'Places in albums', alike: 'Look-alikes that stay' };

function countsText(counts: Record<CurationPart, number>): string {
  return CURATION_PARTS.filter((part) => counts[part] > 0).map((part) => `${WORDS[part]}: ${n(counts[part])}`).join(', ') || 'Nothing of yours yet';
}

// `index FOLDER…`: add folders, then do all that `sync` does for them. The report adds up (promise 8).
import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import { CommandError, EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import { emptyReport, REPORT_PAGE, type IndexReport, type SidecarSummary } from '../../protocol/report.ts';
import { connectOrStart, type Instance } from './instance.ts';
import { clearProgress, printJson, printLine, safe, say, showProgress } from './print.ts';

const POLL_MS = 250;
/** Failures named on a terminal; the problems page and --json have all. */
const SHOWN_FAILURES = 20;

export async function run(options: Options): Promise<number> {
  if (options.args.length === 0) throw new CommandError('index needs a folder: npm run -s jharokha -- index FOLDER…', EXIT.usage);
  return indexRoots(options, options.args.map((a) => resolve(a)));
}

/** Indexes these folders, or every root where null; prints the report and returns the exit code. */
export async function indexRoots(options: Options, folders: readonly string[] | null): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    const report = instance.engine ? await indexHere(instance, folders) : await indexThere(instance, folders);
    clearProgress();
    if (options.json) printJson(report);
    else printReport(report);
    if (report.questions.length > 0) return EXIT.question;
    return report.failed.length > 0 || report.stopped.length > 0 ? EXIT.someFailed : EXIT.ok;
  } finally { await instance.close(); }
}

async function indexHere(instance: Instance, folders: readonly string[] | null): Promise<IndexReport> {
  const engine = instance.engine;
  if (!engine) throw new Error('indexHere without an engine');
  const timer = setInterval(() => { showProgress(engine.status()); }, POLL_MS);
  try {
    return await engine.index(folders ? await engine.addFolders(folders) : null);
  } finally { clearInterval(timer); }
}

/** The running instance does it; this process asks how it goes. */
async function indexThere(instance: Instance, folders: readonly string[] | null): Promise<IndexReport> {
  const rootIds: (string | null)[] = [];
  for (const folder of folders ?? []) rootIds.push((await instance.ask('add_root', { path: folder })).root_id);
  if (!folders) rootIds.push(null);
  const whole = emptyReport();
  for (const rootId of new Set(rootIds)) {
    const { job_id } = await instance.ask('scan', { root_id: rootId });
    for (let from = 0, done = false; !done;) {
      const answer = await instance.ask('job', { job_id, from });
      if (answer.report) {
        addReport(whole, answer.report, from === 0);
        if (!answer.more) done = true;
        from += REPORT_PAGE;
        continue;
      }
      const { status } = await (await callWorker(instance.worker, '/api/status')).json() as { status: AgentStatus | null };
      if (status) showProgress(status);
      await sleep(POLL_MS);
    }
  }
  return whole;
}

/** Adds a report's page to the whole: the numbers of the first page, the lists of all. */
function addReport(whole: IndexReport, page: IndexReport, first: boolean): void {
  if (first) {
    for (const key of ['seen', 'indexed', 'changed', 'moved', 'unchanged', 'duplicate', 'sidecar', 'ignored'] as const) whole[key] += page[key];
    whole.stopped.push(...page.stopped);
    whole.questions.push(...page.questions);
    // It speaks of everything indexed: the last one is the newest.
    if (page.sidecars) whole.sidecars = page.sidecars;
  }
  whole.failed.push(...page.failed);
  whole.skipped.push(...page.skipped);
}

const n = (value: number): string => value.toLocaleString('en');

function printReport(report: IndexReport): void {
  const parts = ([['new', report.indexed], ['changed', report.changed], ['moved', report.moved], ['unchanged', report.unchanged], ['copies', report.duplicate], ['sidecars', report.sidecar], ['ignored', report.ignored], ['could not be read', report.failed.length]] as const).filter(([, count]) => count > 0);
  printLine(`${n(report.seen)} files seen${parts.length > 0 ? ': ' : ''}${parts.map(([word, count]) => `${n(count)} ${word}`).join(', ')}.`);
  if (report.sidecars) printLine(sidecarText(report.sidecars));
  for (const f of report.failed.slice(0, SHOWN_FAILURES)) say(`  ${safe(f.path)}: ${f.reason}`);
  if (report.failed.length > SHOWN_FAILURES) say(`  … and ${n(report.failed.length - SHOWN_FAILURES)} more: see the page for problems, or --json.`);
  for (const s of report.stopped) say(`  ${safe(s.path)}: ${s.reason}`);
  for (const q of report.questions) say(`  A scan needs your answer: npm run -s jharokha -- confirm-missing ${q}`);
}

function sidecarText(s: SidecarSummary): string {
  const left = [s.without_media > 0 ? `${n(s.without_media)} belong to files that were not found` : '', s.without_sidecar > 0 ? `${n(s.without_sidecar)} of ${n(s.media)} files in Takeout folders have none` : ''].filter((t) => t !== '');
  return `${n(s.matched)} of ${n(s.sidecars)} sidecars matched${left.length > 0 ? `: ${left.join('; ')}` : ''}.`;
}

// The agent at work: composes files, volumes, catalog, pipeline, push and link, and decides what runs when. One scan at
// a time; previews in the background, small videos behind them; pushing beside all. It owns no rule of any of them.
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import { randomUUID } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, reason, type AgentIdentity } from '../config.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { countKnown } from '../catalog/files.ts';
import { readOptions, writeOptions } from '../catalog/options.ts';
import { countCompletions, countDirty, firstInOutbox, hasDirty } from '../catalog/outbox.ts';
import { listRoots, removeRoot, setExcludes } from '../catalog/roots.ts';
import { lastScan, listQuestions, queueCompletion } from '../catalog/scans.ts';
import { countProxiesToMake, countProxiesToPush, proxySpool, sweepProxies } from '../catalog/proxies.ts';
import { countSidecars, listUnmatched } from '../catalog/sidecars.ts';
import { countSpooled } from '../catalog/spool.ts';
import { forgetVolume, getVolume } from '../catalog/volumes.ts';
import { hasReport, type OrderRow } from '../catalog/orders.ts';
import { createFileAccess } from '../files/access.ts';
import { createFileChanges } from '../files/changes.ts';
import { DiskFullError } from '../files/room.ts';
import { openLink, type Handlers } from '../link/socket.ts';
import { rootsNear } from '../orders/copy-plan.ts';
import { createOrders } from '../orders/orders.ts';
import { createSender } from '../push/send-originals.ts';
import { isInPackage } from '../pipeline/ignore.ts';
import { sidecarsOfFolder } from '../pipeline/relate-folders.ts';
import { createProxyMaker } from '../pipeline/proxy.ts';
import { proxyPending } from '../pipeline/proxy-pending.ts';
import type { OpenEmbedder } from '../pipeline/embed/embedder.ts';
import { createReader } from '../pipeline/reader.ts';
import { adoptMarkedVolume, checkExcludes } from '../pipeline/index.ts';
import { relateMarked } from '../pipeline/relate.ts';
import { renderPending } from '../pipeline/render-pending.ts';
import { createPlaces } from '../pipeline/places.ts';
import { answerQuestion, scanRoots } from '../pipeline/scan.ts';
import type { ScanContext, ScanProgress, ScanReport } from '../pipeline/context.ts';
import { fetchExportFacts, fetchKnownLocations, fetchOpenOrders, fetchOrder, fetchWantedPlaces, WorkerUnreachable, type WorkerAddress } from '../push/client.ts';
import { agreeOnState, pushAll, type PushContext } from '../push/push.ts';
import { pushProxyStep } from '../push/push-proxies.ts';
import { createVolumes } from '../volumes/volumes.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import { checkNominatimUrl } from '../../protocol/nominatim-url.ts';
import { emptyReport, REPORT_PAGE, type IndexReport, type SidecarSummary } from '../../protocol/report.ts';
import { addFolder, browse, locateRoot, offerDrives, presentVolume } from './roots.ts';
import { createLookWork } from './look-work.ts';
import { createSearchWork } from './search-work.ts';
import { chooseEngine } from './vector-engine.ts';
import { watchRoots } from './watch.ts';

export interface EngineOptions {
  dataDir: string;
  identity: AgentIdentity;
  worker: WorkerAddress;
  /** Keep watching folders and drives for changes, and work in the background. */
  watch: boolean;
  /** How the model of the search is opened; left out: as it is meant to be. */
  openEmbedder?: OpenEmbedder;
  onStatus?(status: AgentStatus): void;
  warn?(line: string): void;
}

export interface Engine {
  handlers: Handlers;
  /** Adds folders, or finds the roots that hold them already; the ids to scan. Throws CommandError with what to do. */
  addFolders(paths: readonly string[]): Promise<string[]>;
  /** Scans these roots, or all, then renders and pushes everything found. */
  index(rootIds: readonly string[] | null): Promise<IndexReport>;
  /** Scans in the background. */
  scanSoon(rootIds: readonly string[] | null): void;
  /** Opens the model of the search, if it is here and has made what is searched in. A command that ends may wait for that; a page may not. */
  warmSearch(): Promise<boolean>;
  /** Writes the vectors that wait into their engine, as far as it takes them. For an engine that does not watch. */
  writeVectors(): Promise<void>;
  status(): AgentStatus;
  /** Resolves once orders, scans and pushes have come to rest. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** New rows wait this long for company before they are pushed. */
const PUSH_SOON_MS = 400;
/** An order that reads small files ends hundreds of steps a second; how far it is is told so often. */
const ORDER_TELL_MS = 100;
/** What the owner did is with the Worker before the page hears of it, unless that takes longer than this. */
const TELL_MS = 2_000;
/** A Worker out of reach is tried again so often. */
const PUSH_RETRY_MS = 5_000;
/** Jobs remembered for `job`; a finished one is asked for once or twice. */
const KEPT_JOBS = 20;
/** Window of the rate that the estimate comes from, and how much of it must be there before it is shown. */
const RATE_WINDOW_MS = 30_000;
const RATE_MIN_MS = 3_000;
/** A command that ends lets a Nominatim server answer for so long; the rest waits for the next one. */
const ASK_AT_MOST_MS = 60_000;
/** Workers that embed pictures: all cores but one, and no more than memory is worth. */
const EMBED_WORKERS = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Paths in one completion (protocol). */
const PATHS_PER_CALL = 5_000;

/** Phases whose rate is told by what is left to be made. */
function isMaking(phase: AgentStatus['phase']): boolean { return phase === 'rendering' || phase === 'embedding' || phase === 'proxies'; }

interface Job { id: string; report: IndexReport | null; done: boolean }

/** Opens the data folder's catalog and connects to the Worker. Nothing is scanned until it is asked for. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const warn = options.warn ?? (() => {});
  const vectorEngine = await chooseEngine(process.env, options.worker);
  const catalog = openCatalog(join(options.dataDir, 'catalog.db'), options.identity.agent_id);
  const volumes = createVolumes();
  const reader = createReader({});
  const maker = createProxyMaker();
  const spool = proxySpool(options.dataDir);
  sweepProxies(catalog, spool);
  const stop = new AbortController();
  const jobs: Job[] = [];

  let scanning: { progress: ScanProgress | null } | undefined;
  let rendering = false;
  let pushing = false;
  let proxying = false;
  // Scans asked for and not yet begun; a watching engine is about to be asked for its first, and is not idle before it.
  let scansDue = options.watch ? 1 : 0;
  let started = false;
  // What the Worker knows and a new catalog does not is being looked at: not done yet, though nothing is found to push.
  let settling = 0;

  const ctx: ScanContext = {
    files: createFileAccess(), volumes, catalog, reader, now: () => Date.now(), ownFolders: [options.dataDir], signal: stop.signal,
    onProgress: (progress) => {
      if (scanning) scanning.progress = progress;
      changed();
      pushSoon();
    },
  };

  // ── status ──
  const samples: { at: number; done: number }[] = [];
  function pendingPreviews(): number {
    return Number(catalog.prepare('SELECT count(*) AS n FROM assets WHERE preview_version = 0 OR grid_version IN (0, 1)').get()?.['n'] ?? 0);
  }
  function status(): AgentStatus {
    const previews = pendingPreviews();
    const proxiesToPush = countProxiesToPush(catalog);
    const proxies = proxiesToPush + (readOptions(catalog).proxies ? countProxiesToMake(catalog) : 0);
    const untold = settling + (refusedCompletions ? 0 : countCompletions(catalog));
    const toPush = pushing || untold > 0 || countDirty(catalog) > 0 || countSpooled(catalog) > 0;
    // What is made behind everything else is told when nothing else is to be told.
    const phase = scanning || scansDue > 0 ? 'scanning' : rendering ? 'rendering' : search.embedding() ? 'embedding' : proxying || proxiesToPush > 0 ? 'proxies' : toPush ? 'pushing' : 'idle';
    const progress = estimate(phase, phase === 'proxies' ? proxies : phase === 'embedding' ? search.toMake() : previews);
    return {
      phase, root: scanning?.progress?.root ?? null, counts: scanning?.progress?.counts ?? null,
      pending: { facts: countDirty(catalog) + untold + (places.naming() ? 1 : 0) + (scanning || scansDue > 0 ? Math.max(1, scanning?.progress?.pending ?? 1) : 0), previews: previews + countSpooled(catalog), proxies, vectors: search.pending() },
      rate_per_s: progress.rate, eta_s: progress.eta, questions: questions(),
      completed: listRoots(catalog).flatMap((r) => (r.completed_ms === null ? [] : [{ root_id: r.root_id, at_ms: r.completed_ms }])),
      search: search.status(), looks: looks.toLook(),
    };
  }
  /** Rate over the last half minute, and what is left by it: files against what the last scan saw, or what is left to be made. */
  function estimate(phase: AgentStatus['phase'], toMake: number): { rate: number | null; eta: number | null } {
    const now = Date.now();
    const done = phase === 'scanning' ? (scanning?.progress?.counts.seen ?? 0) : isMaking(phase) ? -toMake : Number.NaN;
    const last = samples.at(-1);
    if (Number.isNaN(done) || (last && done < last.done)) samples.length = 0;
    if (Number.isNaN(done)) return { rate: null, eta: null };
    samples.push({ at: now, done });
    while (samples[0] && now - samples[0].at > RATE_WINDOW_MS) samples.shift();
    const first = samples[0];
    if (!first || now - first.at < RATE_MIN_MS) return { rate: null, eta: null };
    const rate = (done - first.done) / ((now - first.at) / 1000);
    if (rate <= 0) return { rate: null, eta: null };
    const left = isMaking(phase) ? toMake : scanning?.progress?.walked ? scanning.progress.pending : Math.max(0, expectedFiles - done);
    return { rate, eta: left > 0 ? Math.ceil(left / rate) : null };
  }
  let expectedFiles = 0;
  function questions(): AgentStatus['questions'] {
    return listQuestions(catalog).map((scan) => ({
      scan_id: scan.scan_id, volume_id: scan.volume_id, label: labelOf(scan.volume_id), vanished: scan.vanished,
      known: countKnown(catalog, scan.volume_id),
      examples: (scan.vanished_paths ?? []).slice(0, 10),
    }));
  }
  function labelOf(volumeId: string): string {
    return getVolume(catalog, volumeId)?.label ?? volumeId;
  }
  let closed = false;
  function changed(): void {
    if (closed) return;
    link.statusChanged();
    options.onStatus?.(status());
  }

  // ── push ──
  const pushContext: PushContext = {
    catalog, agentId: options.identity.agent_id, homeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, worker: options.worker, proxySpool: spool, warn, assertRoom: catalog.assertRoom,
  };
  let agreed = false;
  let pushTimer: NodeJS.Timeout | undefined;
  let pushRun: Promise<void> | undefined;
  // Said once, not at each try.
  let pushTrouble = '';
  let markDue = false;
  // What the Worker refused waits for the next connection; it must not be waited for.
  let refusedCompletions = false;
  /** One push at a time; a second wish while one runs makes it look again. */
  function push(): Promise<void> {
    pushRun ??= (async () => {
      pushing = true;
      try {
        if (!agreed) { await agreeOnState(pushContext); agreed = true; }
        const mark = markDue;
        markDue = false;
        const news = !isPushed();
        const done = await pushAll(pushContext, { mark, signal: stop.signal });
        refusedCompletions = done.refused > 0;
        // A mark alone changes nothing that could want a name.
        if (news && done.batches > 0) { places.wake(); search.wake(); looks.wake(); }
      } catch (error) {
        // A Worker on a full disk answers with anything but that.
        catalog.assertRoom();
        throw error;
      } finally { pushing = false; pushRun = undefined; }
    })();
    return pushRun;
  }
  function pushSoon(afterMs: number = PUSH_SOON_MS): void {
    if (stop.signal.aborted) return;
    pushTimer ??= setTimeout(() => {
      pushTimer = undefined;
      push().then(() => { pushTrouble = ''; changed(); return pushProxies(); }).then(() => { changed(); if (!isPushed() || countProxiesToPush(catalog) > 0) pushSoon(); }, (error: unknown) => {
        agreed = false;
        const trouble = error instanceof WorkerUnreachable ? '' : `Could not store: ${reason(error)}`;
        if (trouble !== '' && trouble !== pushTrouble) warn(trouble);
        pushTrouble = trouble;
        pushSoon(PUSH_RETRY_MS);
      });
    }, afterMs);
  }
  /** Pushes what the owner just did, so that the page that follows shows it. A slow push or Worker is not waited for. */
  async function tellWorker(): Promise<void> {
    await Promise.race([push().catch(() => {}), sleep(TELL_MS, undefined, { ref: false })]);
    pushSoon();
  }
  /** Small videos beside the rows and never in their way: what each one changes is pushed while the next is under way. */
  let proxyPush: Promise<void> | undefined;
  function pushProxies(): Promise<void> {
    proxyPush ??= (async () => {
      try {
        let whole = 0;
        for (let step = await pushProxyStep(pushContext); step !== 'none' && !stop.signal.aborted; step = await pushProxyStep(pushContext)) {
          if (step === 'whole') { whole += 1; changed(); pushSoon(); }
        }
        // Making stops where too many wait.
        if (whole > 0) proxySoon();
      } finally { proxyPush = undefined; }
    })();
    return proxyPush;
  }
  function isPushed(): boolean {
    return !hasDirty(catalog) && countSpooled(catalog) === 0 && firstInOutbox(catalog) === undefined && !hasReport(catalog) && (refusedCompletions || countCompletions(catalog) === 0);
  }
  /** Pushes until nothing is left; throws when the Worker is out of reach. */
  async function pushEverything(mark: boolean): Promise<void> {
    markDue ||= mark;
    do { await push(); } while (!stop.signal.aborted && (!isPushed() || markDue));
    changed();
  }

  // ── places ──
  const places = createPlaces({
    catalog, signal: stop.signal, push, onChange: () => { changed(); },
    onTrouble: (error) => { if (!(error instanceof WorkerUnreachable)) warn(reason(error)); },
    wanted: (rank) => fetchWantedPlaces(options.worker, rank, stop.signal), options: () => readOptions(catalog),
  });

  // ── scan and render, one at a time ──
  let queue: Promise<unknown> = Promise.resolve();
  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const next = queue.then(work, work);
    queue = next.catch(() => {});
    return next;
  }

  async function scanThese(rootIds: readonly string[] | null, report: IndexReport): Promise<void> {
    const wanted = listRoots(catalog).filter((r) => rootIds === null || rootIds.includes(r.root_id));
    if (wanted.length === 0 || stop.signal.aborted) return;
    // Before the walk has counted: as many files as there were last time.
    expectedFiles = wanted.reduce((n, r) => n + (lastScan(catalog, r.root_id)?.counts.seen ?? 0), 0);
    scanning = { progress: null };
    changed();
    try {
      const scans = await scanRoots(ctx, wanted);
      for (const scan of scans) addScan(report, scan);
      await relate(report, scans.some((scan) => scan.marked_missing > 0));
    } finally { scanning = undefined; changed(); pushSoon(); }
  }

  // Counted anew only where something changed: it is a look at every file of an export.
  let sidecarCounts: SidecarSummary | undefined;
  /** After every scan, a stopped one too: what it wrote counts. What cannot be kept is still marked for the next time. */
  async function relate(report: IndexReport, someMissing: boolean): Promise<void> {
    let news = someMissing || sidecarCounts === undefined;
    try { news = await relateMarked(ctx) || news; } catch (error) {
      if (!(error instanceof DiskFullError)) throw error;
      if (report.stopped.length === 0) report.stopped.push({ path: '', reason: error.message });
    }
    if (news) sidecarCounts = countSidecars(catalog);
    if (sidecarCounts && sidecarCounts.sidecars > 0) report.sidecars = sidecarCounts;
  }

  function addScan(report: IndexReport, scan: ScanReport): void {
    const absolute = (path: string) => join(scan.mount_point ?? labelOf(scan.volume_id), path);
    for (const key of ['seen', 'indexed', 'changed', 'moved', 'unchanged', 'duplicate', 'sidecar', 'ignored'] as const) report[key] += scan.counts[key];
    for (const f of scan.failed) report.failed.push({ path: absolute(f.path), reason: f.reason });
    for (const s of scan.skipped) report.skipped.push({ path: absolute(s.path), reason: s.reason });
    if (scan.state === 'stopped') report.stopped.push({ path: absolute(scan.root_path), reason: scan.reason ?? 'stopped' });
    if (scan.state === 'question') report.questions.push(scan.scan_id);
  }

  async function render(): Promise<void> {
    if (stop.signal.aborted || pendingPreviews() === 0) return;
    rendering = true;
    changed();
    try { await renderPending(ctx); } finally { rendering = false; changed(); }
  }

  // ── vectors for the search, behind previews and before small videos ──
  const search = createSearchWork({
    catalog, dataDir: options.dataDir, worker: options.worker, engine: vectorEngine, background: options.watch, workers: EMBED_WORKERS, signal: stop.signal,
    openEmbedder: options.openEmbedder ?? (async (source, how) => (await import('../pipeline/embed/open.ts')).openEmbedder(source, how)),
    options: () => readOptions(catalog), untilIdle, warn,
    // Once all vectors are there, look-alikes are confirmed by them.
    onChange: () => { changed(); if (options.watch && search.toMake() === 0) looks.wake(); },
  });

  // ── look-alikes, behind previews too ──
  const looks = createLookWork({
    catalog, worker: options.worker, background: options.watch, signal: stop.signal, untilIdle, warn,
    relate: () => (options.watch ? enqueue(() => relate(emptyReport(), false)) : relate(emptyReport(), false)),
    onChange: () => { changed(); pushSoon(); },
  });

  // ── orders, beside all that: what the owner waits for waits for no scan ──
  const changes = createFileChanges();
  let orderTimer: NodeJS.Timeout | undefined;
  const orders = createOrders({
    catalog, files: ctx.files, changes, volumes, now: ctx.now, signal: stop.signal, warn, sidecarsOf: (folder) => sidecarsOfFolder(catalog, folder), inPackage: isInPackage, ownFolders: [realpathSync(options.dataDir)],
    exportFacts: (sha256s) => fetchExportFacts(options.worker, sha256s),
    refresh: () => { ctx.files.refresh(); changes.refresh(); },
    onChange: () => { orderTimer ??= setTimeout(() => { orderTimer = undefined; changed(); }, ORDER_TELL_MS); pushSoon(); },
    onEnded: afterOrder,
  });
  const sender = createSender({ catalog, files: ctx.files, volumes, now: ctx.now, signal: stop.signal, worker: options.worker, warn, refresh: () => ctx.files.refresh(), sidecarsOf: (folder) => sidecarsOfFolder(catalog, folder) });
  /** Restored sidecars are read again, what is left in a folder is related anew, and copies are found. */
  function afterOrder({ body, target }: OrderRow): void {
    if (body.kind === 'restore' || body.kind === 'mend') scanSoon(listRoots(catalog).filter((r) => body.volumes.includes(r.volume_id)).map((r) => r.root_id));
    else if (body.kind === 'trash') enqueue(() => relate(emptyReport(), true)).then(() => { pushSoon(); looks.wake(); }, (error: unknown) => { if (!stop.signal.aborted) warn(reason(error)); });
    else if (target) {
      const roots = rootsNear(catalog, target).map((r) => r.root_id);
      if (roots.length > 0) scanSoon(roots);
    }
  }
  async function takeOrders(): Promise<void> {
    await orders.take(await fetchOpenOrders(options.worker), (id) => fetchOrder(options.worker, id));
  }
  function takeOrdersSoon(): void {
    takeOrders().catch((error: unknown) => { if (!(error instanceof WorkerUnreachable) && !stop.signal.aborted) warn(reason(error)); });
  }

  // ── small videos, behind everything else ──
  let proxyRun: Promise<void> | undefined;
  let proxyAgain = false;
  let proxyStop = new AbortController();
  /** Resolves once nothing is scanned or rendered, and after the engine was told to stop. */
  async function untilIdle(): Promise<void> {
    for (let seen: unknown; seen !== queue && !stop.signal.aborted;) { seen = queue; await queue; }
  }
  /** Makes what is missing, where a watching engine has the time for it; a second wish while it runs makes it look again. */
  function proxySoon(): void {
    if (!options.watch || stop.signal.aborted || !readOptions(catalog).proxies || countProxiesToMake(catalog) === 0) return;
    if (proxyRun) { proxyAgain = true; return; }
    proxyAgain = false;
    proxyStop = new AbortController();
    // What is asked for of a picture comes before what is asked for of a video.
    const untilRested = async (): Promise<void> => { await untilIdle(); await search.rested(); };
    proxyRun = (async () => {
      await untilRested();
      proxying = true;
      changed();
      const signal = AbortSignal.any([stop.signal, proxyStop.signal]);
      try {
        await proxyPending({ ...ctx, maker, spool, idle: untilRested, onMade: () => { changed(); pushSoon(); } }, signal);
      } catch (error) { if (!stop.signal.aborted) warn(`No small videos are made now: ${reason(error)}`); } finally {
        proxying = false;
        proxyRun = undefined;
        changed();
        if (proxyAgain) proxySoon();
      }
    })();
  }

  /** After a catalog was made anew, the Worker may know paths that no scan of this catalog can miss: asked for once a volume. */
  async function forgetStale(): Promise<void> {
    for (const root of listRoots(catalog)) {
      if (root.completed_ms === null || catalog.getMeta(`reconciled:${root.root_id}`)) continue;
      // The Worker takes this from a scan that it knows: one without news was never told, and a later one will do.
      if (lastScan(catalog, root.root_id)?.state !== 'completed') continue;
      let after: string | null = '';
      const missing: string[] = [];
      while (after !== null) {
        const page: { paths: string[]; next: string | null } = await fetchKnownLocations(options.worker, root.volume_id, after);
        for (const path of page.paths) {
          if (root.path !== '' && !path.startsWith(`${root.path}/`)) continue;
          const slash = path.lastIndexOf('/');
          const known = catalog.prepare('SELECT 1 FROM files WHERE volume_id = ? AND dir = ? AND name = ?').get(root.volume_id, slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1));
          if (!known) missing.push(path);
        }
        after = page.next;
      }
      catalog.transact(() => {
        const scan = lastScan(catalog, root.root_id);
        if (missing.length > 0 && scan?.state === 'completed') queueCompletion(catalog, scan.scan_id, { agent_id: options.identity.agent_id, volume_id: root.volume_id, at_ms: Date.now(), missing, moved_from: [] }, PATHS_PER_CALL);
        catalog.setMeta(`reconciled:${root.root_id}`, '1');
      });
    }
  }

  async function index(rootIds: readonly string[] | null): Promise<IndexReport> {
    const report = emptyReport();
    await enqueue(async () => {
      await scanThese(rootIds, report);
      await pushEverything(true);
      await forgetStale();
      await render();
      await pushEverything(false);
      await places.settled();
      await places.asked(ASK_AT_MOST_MS);
      await search.settle();
      await looks.settle();
      await pushEverything(false);
    });
    return report;
  }

  /** The background's way: what goes wrong is said, and the next change or drive tries again. */
  function scanSoon(rootIds: readonly string[] | null): void {
    void startJob(rootIds);
  }
  function startJob(rootIds: readonly string[] | null): Job {
    const job: Job = { id: randomUUID(), report: null, done: false };
    jobs.push(job);
    if (jobs.length > KEPT_JOBS) jobs.shift();
    const report = emptyReport();
    if (started || !options.watch) scansDue += 1;
    started = true;
    enqueue(async () => {
      settling += 1;
      try {
        try { await scanThese(rootIds, report); } finally { scansDue -= 1; }
        await pushEverything(true).then(forgetStale).catch((error: unknown) => { if (!(error instanceof WorkerUnreachable)) throw error; });
      } finally { settling -= 1; changed(); }
    }).then(() => enqueue(async () => {
      await render();
      await pushEverything(false);
      await places.settled();
    })).finally(() => { search.wake(); looks.wake(); proxySoon(); }).catch((error: unknown) => { if (!stop.signal.aborted) { warn(reason(error)); report.stopped.push({ path: '', reason: reason(error) }); } }).finally(() => { job.report = report; job.done = true; changed(); });
    return job;
  }

  // ── requests from pages and commands ──
  const handlers: Handlers = {
    drives: () => offerDrives(volumes),
    browse: async ({ path }) => browse(path),
    add_root: async ({ path }) => {
      const root = await addFolder(ctx, path);
      await rootsChanged();
      await tellWorker();
      scanSoon([root.root_id]);
      return { root_id: root.root_id, path: root.path };
    },
    remove_root: async ({ root_id }) => {
      removeRoot(catalog, root_id);
      await rootsChanged();
      await tellWorker();
      return {};
    },
    set_excludes: async ({ root_id, excludes }) => {
      const patterns = excludes.map((e) => e.trim()).filter((e) => e !== '');
      checkExcludes(patterns);
      setExcludes(catalog, root_id, patterns);
      await rootsChanged();
      await tellWorker();
      scanSoon([root_id]);
      return {};
    },
    scan: async ({ root_id }) => ({ job_id: startJob(root_id === null ? null : [root_id]).id }),
    job: async ({ job_id, from }) => {
      const job = jobs.find((j) => j.id === job_id);
      if (!job) throw new CommandError('That job is not known any more.');
      if (!job.report) return { done: false, report: null, more: false };
      // On the same socket and before this answer: whoever hears `done` finds the status of after.
      link.flushStatus();
      const { failed, skipped } = job.report;
      const report = { ...job.report, failed: failed.slice(from, from + REPORT_PAGE), skipped: skipped.slice(from, from + REPORT_PAGE) };
      return { done: job.done, report, more: Math.max(failed.length, skipped.length) > from + REPORT_PAGE };
    },
    answer_question: async ({ scan_id, answer }) => {
      const { marked } = await answerQuestion(ctx, scan_id, answer);
      looks.wake();
      await tellWorker();
      changed();
      link.flushStatus();
      return { marked };
    },
    allow_marker: async ({ volume_id }) => {
      const volume = await volumes.allowMarker(volume_id);
      adoptMarkedVolume(ctx, volume_id, volume);
      await rootsChanged();
      await tellWorker();
      scanSoon(null);
      return { volume_id: volume.volume_id };
    },
    forget_volume: async ({ volume_id }) => {
      if (!getVolume(catalog, volume_id)) throw new CommandError('This computer knows no such drive.');
      forgetVolume(catalog, volume_id, Date.now(), PATHS_PER_CALL);
      looks.wake();
      await rootsChanged();
      await tellWorker();
      return {};
    },
    options: async () => readOptions(catalog),
    set_options: async (patch) => {
      if (typeof patch.model_dir === 'string') assertModelDir(patch.model_dir);
      const chosen = writeOptions(catalog, typeof patch.nominatim_url === 'string' ? { ...patch, nominatim_url: checkNominatimUrl(patch.nominatim_url) } : patch);
      places.wake();
      search.optionsChanged();
      if (chosen.proxies) proxySoon(); else proxyStop.abort();
      changed();
      return chosen;
    },
    plan_order: async ({ body }) => orders.plan(body),
    take_orders: async () => { takeOrdersSoon(); return {}; },
    send_originals: (asked) => sender.send(asked),
    name_places: async () => { places.wake(); return {}; },
    ...search.handlers,
    sidecar_report: async ({ from }) => {
      const { without_media, without_sidecar, ...counts } = countSidecars(catalog);
      const page = (which: 'without_media' | 'without_sidecar') => listUnmatched(catalog, which, from, REPORT_PAGE).map((f) => join(getVolume(catalog, f.volume_id)?.mount_point ?? f.volume_id, f.dir, f.name));
      return { ...counts, without_media: { total: without_media, paths: page('without_media') }, without_sidecar: { total: without_sidecar, paths: page('without_sidecar') } };
    },
  };

  // ── link, watching ──
  const link = openLink({
    worker: options.worker, agentId: options.identity.agent_id, version: SOFTWARE_VERSION, handlers, warn, status,
    presentVolumes: async () => {
      const mine = new Set(listRoots(catalog).map((r) => r.volume_id));
      return (await volumes.list(mine)).map(presentVolume);
    },
    onConnect: () => { agreed = false; pushSoon(0); places.wake(); search.connected(); looks.wake(); takeOrdersSoon(); },
  });
  const watcher = options.watch ? watchRoots({ ignore: [options.dataDir], onChange: (ids) => { scanSoon(ids); }, warn }) : undefined;
  const present = new Set<string>();
  async function rootsChanged(): Promise<void> {
    pushSoon();
    const roots = new Map<string, string>();
    const arrived: string[] = [];
    const connected = new Set<string>();
    for (const root of listRoots(catalog)) {
      const path = await locateRoot(volumes, root);
      if (path === undefined) continue;
      roots.set(root.root_id, path);
      connected.add(root.volume_id);
      if (!present.has(root.volume_id)) arrived.push(root.root_id);
    }
    const first = present.size === 0 && arrived.length === roots.size;
    present.clear();
    for (const id of connected) present.add(id);
    await watcher?.set([...roots].map(([rootId, path]) => ({ rootId, path })));
    await link.presenceChanged();
    changed();
    orders.wake();
    if (watcher && !first && arrived.length > 0) scanSoon(arrived);
  }
  const unwatchVolumes = options.watch ? volumes.watch(() => { void rootsChanged().catch((error: unknown) => { warn(reason(error)); }); }) : undefined;
  // Only a watching engine must know what is there before it goes on; a single scan looks for itself.
  if (options.watch) await rootsChanged();

  return {
    handlers, index, scanSoon, status, settled: async () => { await orders.settled(); await untilIdle(); await pushEverything(false); }, writeVectors: () => search.write(), warmSearch: () => search.warm(),
    addFolders: async (paths) => {
      const ids: string[] = [];
      for (const path of paths) ids.push((await addFolder(ctx, path)).root_id);
      await rootsChanged();
      return [...new Set(ids)];
    },
    close: async () => {
      stop.abort();
      unwatchVolumes?.();
      clearTimeout(pushTimer);
      clearTimeout(orderTimer);
      await watcher?.close();
      await orders.settled();
      await sender.settled();
      await queue.catch(() => {});
      await pushRun?.catch(() => {});
      await proxyPush?.catch(() => {});
      await search.close();
      await looks.ended();
      await maker.close();
      await proxyRun;
      await places.ended();
      closed = true;
      await link.close();
      await reader.close();
      catalog.close();
    },
  };
}

function assertModelDir(folder: string): void {
  if (!isAbsolute(folder) || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new CommandError(`There is no folder ${JSON.stringify(folder)} on this computer for the model of the search.`);
}

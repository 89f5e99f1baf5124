// Fetches a model's files from the hub into our own folder. A file has its name only when it is whole and looks like what it
// should be; until then it is `NAME.….part`, which a later try goes on with where the server lets it. The model stage's
// only use of the network.
import { createHash } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelMissing, type OpenOptions } from './embedder.ts';
import { howToGet, looksLikeJson } from './model.ts';
import { MODEL_FILES, type Profile } from './profiles.ts';

export const PUBLIC_HUB = 'https://huggingface.co';
/** Tries in a row that bring nothing new. The pauses between them double. */
const TRIES = 5;
const PATIENCE = { retryMs: 1_000, silentMs: 30_000 };
/** The database beside the models needs some room, too. */
const RESERVE_BYTES = 100_000_000;

/** Cannot get better by trying again. */
class Refused extends Error {}
class NoRoom extends Refused {}

interface Wanted { url: string; path: string; bytes: number | null; etag: string | null }
type Options = Pick<OpenOptions, 'signal' | 'onDownload' | 'hub' | 'patience'>;

/** Fetches what is not there yet. Throws ModelMissing with the reason and what to do, or the signal's reason. */
export async function downloadModel(dir: string, profile: Profile, options: Options): Promise<void> {
  const hub = options.hub ?? process.env['HF_ENDPOINT'] ?? PUBLIC_HUB;
  try {
    const wanted: Wanted[] = [];
    for (const file of MODEL_FILES) {
      const path = join(dir, file);
      if (await sizeOf(path) === null) wanted.push(await ask(new URL(`${profile.model}/resolve/main/${file}`, hub.endsWith('/') ? hub : `${hub}/`).href, path, options));
    }
    const total = wanted.every((w) => w.bytes !== null) ? wanted.reduce((sum, w) => sum + (w.bytes ?? 0), 0) : null;
    await mkdir(join(dir, 'onnx'), { recursive: true });
    checkRoom(dir, total ?? profile.downloadMb * 1e6);
    let before = 0;
    options.onDownload?.(0, total);
    for (const w of wanted) before += await fetchFile(w, options, (bytes) => options.onDownload?.(before + bytes, total));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ModelMissing(`The search model ${profile.model} (about ${profile.downloadMb} MB) is not here and could not be downloaded: ${reasonOf(error, hub)}. ${hasNoRoom(error) ? 'Make room there' : 'Connect to the network'} and start again. Or: ${howToGet(profile)}`);
  }
}

function checkRoom(dir: string, bytes: number): void {
  let freeBytes: number;
  try {
    const s = statfsSync(dir);
    freeBytes = s.bavail * s.bsize;
  } catch { return; }
  if (freeBytes < bytes + RESERVE_BYTES) throw new NoRoom(`the disk of ${dir} has ${Math.floor(freeBytes / 1e6)} MB free, and ${Math.ceil((bytes + RESERVE_BYTES) / 1e6)} MB are needed`);
}

/** Size and version of a file, before any of it is fetched. */
async function ask(url: string, path: string, options: Options): Promise<Wanted> {
  return withTries(options, async (signal) => {
    const response = await request(url, { method: 'HEAD', signal });
    const etag = response.headers.get('etag');
    // A weak tag does not promise the same bytes.
    return { url, path, bytes: lengthOf(response), etag: etag?.startsWith('"') ? etag : null };
  });
}

/** The file's size. */
async function fetchFile(wanted: Wanted, options: Options, onBytes: (bytes: number) => void): Promise<number> {
  const { path, etag } = wanted;
  const part = `${path}.${etag === null ? 'new' : createHash('sha256').update(etag).digest('hex').slice(0, 12)}.part`;
  for (const name of await readdir(dirname(path))) {
    const other = join(dirname(path), name);
    if (name.startsWith(`${basename(path)}.`) && name.endsWith('.part') && (other !== part || etag === null)) await rm(other, { force: true });
  }
  let most = 0;
  await withTries(options, (signal, alive) => fetchPart(wanted, part, signal, (bytes) => {
    // A server that starts anew each time brings nothing new.
    alive(etag !== null && bytes > most);
    most = Math.max(most, bytes);
    onBytes(bytes);
  }));
  try { await checkContent(part, path); } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await rename(part, path);
  const bytes = await sizeOf(path) ?? 0;
  onBytes(bytes);
  return bytes;
}

/** One request, from where the last one ended. */
async function fetchPart({ url, bytes, etag }: Wanted, part: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
  let have = etag === null ? 0 : await sizeOf(part) ?? 0;
  if (bytes !== null && have > bytes) have = 0;
  if (bytes !== null && have === bytes && have > 0) return;
  const response = await request(url, { signal, headers: have > 0 && etag !== null ? { range: `bytes=${have}-`, 'if-range': etag } : {} });
  if (response.status !== 206 || !response.headers.get('content-range')?.startsWith(`bytes ${have}-`)) {
    if (response.status !== 200) throw new Error(`the server answered ${response.status} with another part of the file`);
    have = 0;
  }
  const length = lengthOf(response);
  const whole = length === null ? bytes : have + length;
  const file = await open(part, have > 0 ? 'a' : 'w');
  try {
    for await (const chunk of response.body ?? []) {
      await file.write(chunk as Uint8Array);
      have += (chunk as Uint8Array).length;
      onBytes(have);
    }
    await file.sync();
  } finally { await file.close(); }
  if (whole !== null && have !== whole) throw new Error(`${basename(url)} was cut off after ${have} of ${whole} bytes`);
}

/** What every request has in common. Throws Refused where asking again is no use. */
async function request(url: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
  // Unpacked bytes alone can be counted and gone on with.
  const response = await fetch(url, { ...init, headers: { 'accept-encoding': 'identity', ...init.headers } });
  const { status } = response;
  const what = `${new URL(url).pathname}: `;
  if (!response.ok) {
    await response.body?.cancel();
    if (status === 416) throw new Error(`${what}the server does not have that part`);
    if (status >= 500 || status === 429 || status === 408) throw new Error(`${what}the server answered ${status}`);
    throw new Refused(`${what}the server answered ${status}`);
  }
  if (/^text\/html/i.test(response.headers.get('content-type') ?? '')) {
    await response.body?.cancel();
    throw new Refused(`${what}a web page came in place of the file (a network that asks you to sign in first?)`);
  }
  return response;
}

/** Runs `work` until it does, with pauses. `alive(true)` tells of news, which make another series of tries worth while. */
async function withTries<T>(options: Options, work: (signal: AbortSignal, alive: (news: boolean) => void) => Promise<T>): Promise<T> {
  const { retryMs, silentMs } = options.patience ?? PATIENCE;
  for (let tries = 1; ; tries += 1) {
    options.signal?.throwIfAborted();
    const silence = new AbortController();
    const timer = setTimeout(() => { silence.abort(new Error(`the server was silent for ${Math.ceil(silentMs / 1000)} s`)); }, silentMs);
    try {
      return await work(options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal, (news) => { timer.refresh(); if (news) tries = 1; });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof Refused || isOurDisk(error) || tries >= TRIES) throw error;
    } finally { clearTimeout(timer); }
    await sleep(retryMs * 2 ** (tries - 1), undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Not a web page with a model's name: JSON is an object, and a model file begins as its format does. */
async function checkContent(part: string, path: string): Promise<void> {
  const name = basename(path);
  if (name.endsWith('.json')) {
    if (!await looksLikeJson(part)) throw new Refused(`${name} came, but is no JSON`);
    return;
  }
  const file = await open(part, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
    // The version of the format, its first field.
    if (bytesRead === 0 || buffer[0] !== 0x08) throw new Refused(`${name} came, but is no ONNX model`);
  } finally { await file.close(); }
}

function lengthOf(response: Response): number | null {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return response.headers.has('content-encoding') || !Number.isSafeInteger(length) ? null : length;
}

async function sizeOf(path: string): Promise<number | null> {
  try { return (await stat(path)).size; } catch { return null; }
}

function isOurDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '') && (error as NodeJS.ErrnoException).syscall !== 'connect';
}

function hasNoRoom(error: unknown): boolean {
  return error instanceof NoRoom || ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function reasonOf(error: unknown, hub: string): string {
  if (!(error instanceof Error)) return String(error);
  if (hasNoRoom(error) && !(error instanceof NoRoom)) return 'the disk that holds the data folder is full';
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (error.message === 'fetch failed' || error.message === 'terminated') return `${hub} cannot be reached (${cause?.code ?? cause?.message ?? error.message})`;
  return error.message;
}

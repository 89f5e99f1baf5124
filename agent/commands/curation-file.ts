// Curation files on the disk (protocol/curation.ts): written whole or not at all, checked whole before anything of them is
// used, and of those in the data folder the last ones kept. Knows no Worker.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  CURATION_FORMAT, CURATION_VERSION, CurationEnd, CurationHead, CurationLine, MAX_CURATION_LINE_BYTES, noCounts, type CurationCounts,
} from '../../protocol/curation.ts';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import { CommandError, EXIT, reason } from '../config.ts';
import { DiskFullError } from '../files/room.ts';

/** Files kept in the data folder: a month of nights in which something changed. */
export const CURATION_FILES_KEPT = 30;
/** Only names that we give are ever removed. UTC, so that they sort by age whatever the clock on the wall does. */
const OURS = /^curation-\d{4}-\d{2}-\d{2}T\d{6}\.ndjson$/;
const OUR_LEFTOVER = /^curation-[\w.-]{1,60}\.ndjson\.\d+\.tmp$/;
const COPY_BYTES = 1 << 20;

export const curationFolder = (dataDir: string): string => join(dataDir, 'curation');

/** Our files in a folder, oldest first; anything else in it, links and folders too, is none of them. */
export function listCurationFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter((e) => e.isFile() && OURS.test(e.name)).map((e) => join(folder, e.name)).sort();
}

/** Removes the oldest beyond those that are kept, and what a crash left half written. */
export function keepNewest(folder: string): string[] {
  const old = listCurationFiles(folder).slice(0, -CURATION_FILES_KEPT);
  for (const file of old) rmSync(file, { force: true });
  for (const e of readdirSync(folder, { withFileTypes: true })) if (e.isFile() && OUR_LEFTOVER.test(e.name) && !isOfLiving(e.name)) rmSync(join(folder, e.name), { force: true });
  return old;
}

/** Half a file is left alone while the process that its name says is writing it. */
function isOfLiving(name: string): boolean {
  const pid = Number(/\.(\d+)\.tmp$/.exec(name)?.[1]);
  try { process.kill(pid, 0); return true; } catch (error) { return error instanceof Error && 'code' in error && error.code === 'EPERM'; }
}

/** A name that no file has, for this moment or one just after it. */
export function newCurationName(folder: string, nowMs: number): string {
  for (let ms = nowMs; ; ms += 1_000) {
    const stamp = new Date(ms).toISOString();
    const file = join(folder, `curation-${stamp.slice(0, 10)}T${stamp.slice(11, 19).replaceAll(':', '')}.ndjson`);
    if (!existsSync(file)) return file;
  }
}

export interface Written { file: string; written: boolean; head: CurationHead }

/**
 * Writes lines to `file`: to another name beside it first, through to the disk, then under its own. With `unless`, a hash of
 * content, nothing is written where the content has it; and nothing of an empty library where `unless` is ''. Throws
 * DiskFullError or CommandError; no half file is left.
 */
export async function writeCurationFile(args: { file: string; lines: AsyncIterable<CurationLine>; assets(): number; nowMs: number; unless?: string | undefined }): Promise<Written> {
  const { file } = args;
  const folder = dirname(file);
  const temporary = `${file}.${process.pid}.tmp`;
  // The head comes first and is known last: the body goes to a file of its own, then behind it.
  const body = join(folder, `curation-body.ndjson.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const counts = noCounts();
    const content = createHash('sha256');
    const out = openSync(body, 'w', 0o600);
    try {
      for await (const line of args.lines) {
        counts[line.type] += 1;
        writeText(out, `${JSON.stringify(line)}\n`, content);
      }
    } finally { closeSync(out); }
    const head: CurationHead = {
      type: 'head', format: CURATION_FORMAT, version: CURATION_VERSION, exported_at: new Date(args.nowMs).toISOString(), software: SOFTWARE_VERSION,
      library: { assets: args.assets() }, counts, content_sha256: content.digest('hex'),
    };
    if (args.unless === head.content_sha256 || (args.unless === '' && isEmpty(counts))) return { file, written: false, head };
    const whole = openSync(temporary, 'w', 0o600);
    try {
      const all = createHash('sha256');
      writeText(whole, `${JSON.stringify(head)}\n`, all);
      appendFile(whole, body, all);
      const end: CurationEnd = { type: 'end', lines: totalOf(counts), sha256: all.digest('hex') };
      writeText(whole, `${JSON.stringify(end)}\n`);
      fsyncSync(whole);
    } finally { closeSync(whole); }
    renameSync(temporary, file);
    syncFolder(folder);
    return { file, written: true, head };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) throw new DiskFullError(folder);
    if (error instanceof Error && 'code' in error && 'syscall' in error) throw new CommandError(`Cannot write ${file}: ${reason(error)}.`);
    throw error;
  } finally {
    for (const left of [temporary, body]) { try { rmSync(left, { force: true }); } catch { /* it could not even be made */ } }
  }
}

const totalOf = (counts: CurationCounts): number => Object.values(counts).reduce((n, count) => n + count, 0);
/** A setting alone is nothing that anybody would miss. */
const isEmpty = (counts: CurationCounts): boolean => totalOf(counts) === counts.setting;

function writeText(out: number, text: string, hash?: Hash): void {
  const bytes = Buffer.from(text);
  hash?.update(bytes);
  for (let at = 0; at < bytes.length;) at += writeSync(out, bytes, at);
}

function appendFile(out: number, from: string, hash: Hash): void {
  const source = openSync(from, 'r');
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let n = readSync(source, buffer); n > 0; n = readSync(source, buffer)) {
      hash.update(buffer.subarray(0, n));
      for (let at = 0; at < n;) at += writeSync(out, buffer, at, n - at);
    }
  } finally { closeSync(source); }
}

/** So that the new name, too, survives a loss of power. Where folders cannot be synced, the rename must do. */
function syncFolder(folder: string): void {
  let at: number | undefined;
  try { at = openSync(folder, 'r'); fsyncSync(at); } catch { /* not on this file system */ } finally { if (at !== undefined) closeSync(at); }
}

/** What is wrong with a file, in words that name the line. */
const damaged = (file: string, what: string): CommandError => new CommandError(`${file}: ${what} Nothing was imported.`);

/** Where a file named by the owner may be written: nothing is there, or an older curation file. */
export async function assertWritable(file: string): Promise<void> {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory()) throw new CommandError(`${file} is a folder. Name a file in it.`, EXIT.usage);
  const first = stat.isFile() ? await readFirst(file).catch(() => undefined) : undefined;
  if (!first || !isHead(first)) throw new CommandError(`${file} is there already and is no curation file. Choose another name.`, EXIT.usage);
}

async function readFirst(file: string): Promise<unknown> {
  for await (const { bytes } of readLines(file)) return parseJson(bytes);
  return undefined;
}
const isHead = (value: unknown): boolean => typeof value === 'object' && value !== null && 'format' in value && value.format === CURATION_FORMAT;

/**
 * Reads a file from head to end and checks all of it: that it is one of ours, every line, and the hash over all. With `use`
 * each line is handed on as it is read: only after a first reading without it may that change anything. Throws CommandError.
 */
export async function readCurationFile(file: string, use?: (line: CurationLine) => Promise<void>): Promise<CurationHead> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new CommandError(`There is no file ${file}.`, EXIT.usage);
  if (!stat.isFile()) throw new CommandError(`${file} is no file.`, EXIT.usage);
  const all = createHash('sha256');
  const content = createHash('sha256');
  const counts = noCounts();
  const albums = new Set<string>();
  let head: CurationHead | undefined;
  let end: CurationEnd | undefined;
  let number = 0;
  try {
    for await (const { bytes, whole } of readLines(file)) {
      number += 1;
      const fail = (what: string): CommandError => damaged(file, `line ${number} ${what}.`);
      if (end) throw fail('comes after the end');
      if (bytes.length > MAX_CURATION_LINE_BYTES) throw number === 1 ? notOurs(file) : fail('is longer than any that Jharokha writes');
      const value = parseJson(bytes);
      if (!head) { head = checkHead(file, value); all.update(bytes).update('\n'); continue; }
      if (value === undefined) throw whole ? fail('is damaged: it is not JSON') : damaged(file, `it was cut short in line ${number}.`);
      if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'end') {
        end = checkWith(CurationEnd, value, fail);
        continue;
      }
      const line = checkWith(CurationLine, value, fail);
      if (line.type === 'album') albums.add(line.album);
      if (line.type === 'member' && !albums.has(line.album)) throw fail(`puts something into an album that no line before it names`);
      counts[line.type] += 1;
      for (const hash of [all, content]) hash.update(bytes).update('\n');
      await use?.(line);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'syscall' in error) throw new CommandError(`${file} cannot be read: ${reason(error)}. Nothing was imported.`);
    throw error;
  }
  if (!head) throw notOurs(file);
  if (!end) throw damaged(file, `it was cut short after line ${number}: the end is missing.`);
  if (end.lines !== totalOf(counts) || end.sha256 !== all.digest('hex') || head.content_sha256 !== content.digest('hex')) throw damaged(file, 'it is not as it was written: its content does not fit the hash at its end.');
  return head;
}

const notOurs = (file: string): CommandError => damaged(file, 'this is no curation file.');

function checkHead(file: string, value: unknown): CurationHead {
  if (!isHead(value)) throw notOurs(file);
  const version = (value as { version?: unknown }).version;
  if (typeof version === 'number' && version > CURATION_VERSION) throw damaged(file, `it was written by a newer Jharokha (format ${version}, this one reads ${CURATION_VERSION}). Update Jharokha.`);
  return checkWith(CurationHead, value, (what) => damaged(file, `line 1 ${what}.`));
}

function checkWith<T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } } }, value: unknown, fail: (what: string) => CommandError): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw fail(`is damaged: ${issue?.path.map(String).join('.') || 'it'}: ${issue?.message ?? 'is not as agreed'}`);
}

const decoder = new TextDecoder('utf-8', { fatal: true });
function parseJson(bytes: Uint8Array): unknown {
  try { return JSON.parse(decoder.decode(bytes)); } catch { return undefined; }
}

/** Lines as bytes; `whole` is false for one that no line feed ends. One that grows past the bound is handed on as far as it came, and is the last. */
async function* readLines(file: string): AsyncGenerator<{ bytes: Buffer; whole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10)) {
      yield { bytes: data.subarray(0, at), whole: true };
      data = data.subarray(at + 1);
    }
    rest = Buffer.from(data);
    if (rest.length > MAX_CURATION_LINE_BYTES) break;
  }
  if (rest.length > 0) yield { bytes: rest, whole: false };
}

/** The hash of a file's content, where the file is sound; undefined where it is not, or is none. */
export async function contentOf(file: string): Promise<string | undefined> {
  return readCurationFile(file).then((head) => head.content_sha256, () => undefined);
}

export const nameOf = (file: string): string => basename(file).slice(0, 200).toWellFormed().replaceAll('\0', '');

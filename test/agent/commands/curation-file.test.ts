// Curation files: what is written can be read, what is damaged is refused with its line, thirty are kept, and when one is due.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideNightly } from '../../../agent/commands/curation-export.ts';
import { assertWritable, contentOf, CURATION_FILES_KEPT, keepNewest, listCurationFiles, newCurationName, readCurationFile, writeCurationFile } from '../../../agent/commands/curation-file.ts';
import { CommandError } from '../../../agent/config.ts';
import type { CurationLine } from '../../../protocol/curation.ts';
import { createDice } from '../../support/random.ts';

const NOW = Date.UTC(2026, 4, 6, 7, 8, 9);
const hash = (n: number) => n.toString(16).padStart(64, '0');
const asset = (n: number, description: string | null = null): CurationLine => ({
  type: 'asset', sha256: hash(n), changed_at_ms: n, favourite: true, archived: null, rating: null, taken_at: null, utc_offset_minutes: null, time_shift_s: null, position: null, description, tags: null,
});
const LINES: CurationLine[] = [
  { type: 'setting', key: 'home_zone', value: 'Europe/Rome', changed_at_ms: null },
  { type: 'album', album: 'own:a', title: 'line\nfeed \u2028 <b> "x"', owner_title: null, sort: 'own', cover: null, query: null, made_at_ms: 1, removed_at_ms: null },
  asset(1, '日本 \\ \r\n'), asset(2), { type: 'member', album: 'own:a', sha256: hash(1), layer: 'owner', position: 0.5 },
];

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'jharokha-curation-')); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

async function* each(lines: readonly CurationLine[]): AsyncGenerator<CurationLine> { yield* lines; }
const write = (file: string, lines = LINES, unless?: string) => writeCurationFile({ file, lines: each(lines), assets: () => 7, nowMs: NOW, unless });
async function readAll(file: string): Promise<CurationLine[]> {
  const lines: CurationLine[] = [];
  await readCurationFile(file, async (line) => { lines.push(line); });
  return lines;
}
const refusal = (file: string): Promise<CommandError> => readCurationFile(file).then(() => { throw new Error('it was taken'); }, (error: CommandError) => error);

describe('a file', () => {
  it('is read as it was written, and says what it holds', async () => {
    const file = join(dir, 'a.ndjson');
    const { head } = await write(file);
    expect(head).toMatchObject({ format: 'jharokha-curation', version: 2, exported_at: '2026-05-06T07:08:09.000Z', library: { assets: 7 }, counts: { setting: 1, volume: 0, album: 1, asset: 2, member: 1 } });
    expect(await readAll(file)).toEqual(LINES);
    expect(readdirSync(dir)).toEqual(['a.ndjson']);
    // The hash at its end is over every byte before it, for whoever checks it with other tools.
    const text = readFileSync(file);
    const end = text.subarray(0, -1).lastIndexOf(10) + 1;
    expect(JSON.parse(text.subarray(end).toString())).toEqual({ type: 'end', lines: 5, sha256: createHash('sha256').update(text.subarray(0, end)).digest('hex') });
  });

  it('of the first format, which knew no look-alikes, is read', async () => {
    const file = join(dir, 'a.ndjson');
    await write(file);
    const [head = '', ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const first = { ...JSON.parse(head) as object, version: 1, counts: { setting: 1, volume: 0, album: 1, asset: 2, member: 1 } };
    const before = [JSON.stringify(first), ...rest.slice(0, -1), ''].join('\n');
    writeFileSync(file, `${before}${JSON.stringify({ type: 'end', lines: 5, sha256: createHash('sha256').update(before).digest('hex') })}\n`);
    expect(await readAll(file)).toEqual(LINES);
  });

  it('is not written where nothing changed, nor for a library of which nothing was said', async () => {
    const { head } = await write(join(dir, 'a.ndjson'));
    expect(await write(join(dir, 'b.ndjson'), LINES, head.content_sha256)).toMatchObject({ written: false });
    expect(await write(join(dir, 'b.ndjson'), LINES.slice(0, 1), '')).toMatchObject({ written: false });
    expect(await write(join(dir, 'b.ndjson'), LINES.slice(0, 3), '')).toMatchObject({ written: true });
  });

  it('of 50,000 lines and of none', async () => {
    const many = Array.from({ length: 50_000 }, (_, i) => asset(i));
    await write(join(dir, 'many.ndjson'), many);
    expect((await readAll(join(dir, 'many.ndjson'))).length).toBe(50_000);
    await write(join(dir, 'none.ndjson'), []);
    expect(await readAll(join(dir, 'none.ndjson'))).toEqual([]);
  });

  it('leaves nothing behind where its lines end in an error, and the old file as it was', async () => {
    const file = join(dir, 'a.ndjson');
    await write(file);
    const before = readFileSync(file);
    async function* broken(): AsyncGenerator<CurationLine> { yield asset(1); throw new Error('gone'); }
    await expect(writeCurationFile({ file, lines: broken(), assets: () => 0, nowMs: NOW })).rejects.toThrow('gone');
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(dir)).toEqual(['a.ndjson']);
    writeFileSync(join(dir, 'file'), '');
    await expect(write(join(dir, 'file', 'x.ndjson'))).rejects.toThrow(/Cannot write .*x\.ndjson/);
  });

  // A disk that is full at any write; absent on macOS.
  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', async () => {
    symlinkSync('/dev/full', join(dir, `curation-body.ndjson.${process.pid}.tmp`));
    await expect(write(join(dir, 'a.ndjson'))).rejects.toThrow(/is full/);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a damaged file is refused', () => {
  const text = async (): Promise<string[]> => { await write(join(dir, 'a.ndjson')); return readFileSync(join(dir, 'a.ndjson'), 'utf8').trimEnd().split('\n'); };
  const store = (lines: readonly string[]): string => { writeFileSync(join(dir, 'b.ndjson'), `${lines.join('\n')}\n`); return join(dir, 'b.ndjson'); };

  it.each([
    ['with a line that is no JSON', (l: string[]) => l.with(3, '{"type":'), /line 4 is damaged: it is not JSON\. Nothing was imported/],
    ['with a hash that is none', (l: string[]) => l.with(3, JSON.stringify({ ...asset(1), sha256: 'x' })), /line 4 is damaged: sha256: must be 64/],
    ['with a kind of line that is unknown', (l: string[]) => l.with(3, '{"type":"order"}'), /line 4 is damaged/],
    ['with half a character', (l: string[]) => l.with(3, JSON.stringify(asset(1)).replace('null', '"\\ud800"')), /line 4 is damaged/],
    ['with something for an album that it does not name', (l: string[]) => l.toSpliced(2, 1), /line 5 puts something into an album/],
    ['with a line gone', (l: string[]) => l.toSpliced(3, 1), /does not fit the hash/],
    ['with two lines changed round', (l: string[]) => l.with(3, l[4] ?? '').with(4, l[3] ?? ''), /does not fit the hash/],
    ['with a value changed', (l: string[]) => l.with(4, (l[4] ?? '').replace('true', 'false')), /does not fit the hash/],
    ['with its head changed', (l: string[]) => l.with(0, (l[0] ?? '').replace('"assets":7', '"assets":8')), /does not fit the hash/],
    ['without its end', (l: string[]) => l.slice(0, -1), /cut short after line 6/],
    ['with more after its end', (l: string[]) => [...l, l[3] ?? ''], /line 8 comes after the end/],
    ['of a newer format', (l: string[]) => l.with(0, (l[0] ?? '').replace('"version":2', '"version":3')), /newer Jharokha \(format 3, this one reads 2\)/],
    ['of no format', (l: string[]) => l.slice(1), /no curation file/],
    ['that is empty', () => [], /no curation file/],
    ['with a line of a megabyte', (l: string[]) => l.with(3, JSON.stringify(asset(1, 'x'.repeat(1e6)))), /line 4 is longer/],
  ])('%s', async (_name, change, message) => {
    const error = await refusal(store(change(await text())));
    expect(error).toBeInstanceOf(CommandError);
    expect([error.message, error.exitCode]).toEqual([expect.stringMatching(message), 1]);
    expect(await contentOf(join(dir, 'b.ndjson'))).toBeUndefined();
  });

  it('cut off anywhere, and with any byte changed', async () => {
    await write(join(dir, 'a.ndjson'));
    const whole = readFileSync(join(dir, 'a.ndjson'));
    const dice = createDice(5);
    for (let i = 0; i < 150; i += 1) {
      const at = Math.floor(dice.next() * (whole.length - 2));
      writeFileSync(join(dir, 'cut.ndjson'), whole.subarray(0, at));
      await refusal(join(dir, 'cut.ndjson'));
      const other = Buffer.from(whole);
      other[at] = (whole[at] ?? 0) ^ (1 + Math.floor(dice.next() * 255));
      writeFileSync(join(dir, 'flipped.ndjson'), other);
      await refusal(join(dir, 'flipped.ndjson'));
    }
  });

  it('that is binary, a folder, or not there', async () => {
    writeFileSync(join(dir, 'x'), Buffer.alloc(3e6, 7));
    expect((await refusal(join(dir, 'x'))).message).toMatch(/no curation file/);
    expect((await refusal(dir)).exitCode).toBe(2);
    expect((await refusal(join(dir, 'nowhere'))).exitCode).toBe(2);
  });

  it('and a file of the owner’s is never written over', async () => {
    writeFileSync(join(dir, 'notes.txt'), 'mine');
    await expect(assertWritable(join(dir, 'notes.txt'))).rejects.toThrow(/no curation file/);
    await expect(assertWritable(dir)).rejects.toThrow(/folder/);
    await write(join(dir, 'a.ndjson'));
    await assertWritable(join(dir, 'a.ndjson'));
    await assertWritable(join(dir, 'new.ndjson'));
  });
});

describe('the folder', () => {
  it('keeps the last thirty of ours, and everything that is not ours', async () => {
    const names = Array.from({ length: 35 }, (_, i) => newCurationName(dir, NOW + i * 3_600_000));
    for (const name of names) writeFileSync(name, 'x');
    const others = ['curation-2020.ndjson', 'my curation-2001-01-01T000000.ndjson', 'curation-2001-01-01T000000.ndjson.bak', 'notes.txt'];
    for (const name of others) writeFileSync(join(dir, name), 'mine');
    mkdirSync(join(dir, 'curation-2001-01-01T000000.ndjson'));
    symlinkSync(join(dir, 'notes.txt'), join(dir, 'curation-2001-01-02T000000.ndjson'));
    writeFileSync(join(dir, 'curation-body.ndjson.99999999.tmp'), 'left by a crash');
    writeFileSync(join(dir, `curation-body.ndjson.${process.pid}.tmp`), 'being written');
    expect(keepNewest(dir)).toEqual(names.slice(0, 5));
    expect(listCurationFiles(dir)).toEqual(names.slice(-CURATION_FILES_KEPT));
    expect(readdirSync(dir).filter((name) => !names.includes(join(dir, name))).sort()).toEqual([...others, 'curation-2001-01-01T000000.ndjson', 'curation-2001-01-02T000000.ndjson', `curation-body.ndjson.${process.pid}.tmp`].sort());
  });

  it('gives a name that no file has', () => {
    writeFileSync(newCurationName(dir, NOW), '');
    expect(newCurationName(dir, NOW)).toBe(join(dir, 'curation-2026-05-06T070810.ndjson'));
  });
});

describe('a night', () => {
  const at = (day: number, hour: number, minute = 0) => new Date(2026, 4, day, hour, minute).getTime();
  it.each([
    ['never looked', at(6, 12), null, 'at-rest'],
    ['just looked', at(6, 12), at(6, 11), 'no'],
    ['before three', at(6, 2, 59), at(5, 3, 1), 'no'],
    ['at three', at(6, 3), at(5, 3, 1), 'at-rest'],
    ['after three, looked before it', at(6, 9), at(6, 2), 'at-rest'],
    ['after three, looked after it', at(6, 23), at(6, 3), 'no'],
    ['asleep for a week', at(13, 9), at(6, 3), 'now'],
    ['busy for a whole day', at(7, 3), at(5, 12), 'now'],
    ['the clock was set back', at(6, 12), at(9, 12), 'at-rest'],
  ] as const)('%s', (_name, now, last, due) => { expect(decideNightly(now, last)).toBe(due); });
});

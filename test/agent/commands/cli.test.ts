// The command line as an owner meets it: exit codes, clear words, one instance a data folder, leftovers of a kill.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startMiniflare } from '../../../agent/commands/worker-host.ts';
import { Healthz, ListLine } from '../../../protocol/list.ts';
import { IndexReport } from '../../../protocol/report.ts';
import { DATA_VERSION } from '../../../protocol/versions.ts';
import { freePort, killAgentOnly, runCommand, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';

let base: string;
let dataDir: string;
const running: Up[] = [];
beforeEach(() => { base = mkdtempSync(join(tmpdir(), 'jharokha-cli-')); dataDir = join(base, 'data'); });
afterEach(async () => {
  for (const up of running.splice(0)) await stopUp(up);
  rmSync(base, { recursive: true, force: true });
});
async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Up> {
  const up = startUp(dataDir, await freePort(), args, env);
  running.push(up);
  return up;
}

describe('usage', () => {
  test('says what it did not understand, with exit code 2', () => {
    for (const [args, word] of [[['frobnicate'], 'frobnicate'], [['list', '--wat'], '--wat'], [['index'], 'folder'], [['up', '--port', 'x'], '--port'], [['confirm-missing', '--gone', '--keep'], '--keep']] as const) {
      const ran = runCommand(dataDir, args);
      expect(ran.code, args.join(' ')).toBe(2);
      expect(ran.stderr).toContain(word);
      expect(ran.stdout).toBe('');
    }
  });
  test('a folder that is not there is named, and nothing is added', async () => {
    const ran = runCommand(dataDir, ['index', join(base, 'nowhere')]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(join(base, 'nowhere'));
  });
  test('deploy refuses and says why', async () => {
    const { spawnSync } = await import('node:child_process');
    const done = spawnSync('node', ['scripts/deploy.mjs'], { encoding: 'utf8' });
    expect(done.status).toBe(1);
    expect(done.stderr).toContain('sign-in');
  });
});

describe('the data folder', () => {
  test('of a newer version is refused untouched', () => {
    mkdirSync(dataDir);
    const text = JSON.stringify({ data_version: DATA_VERSION + 1, agent_id: 'x', token: 'y'.repeat(40) });
    writeFileSync(join(dataDir, 'agent.json'), text);
    const ran = runCommand(dataDir, ['list', '--json']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('newer');
    expect(readFileSync(join(dataDir, 'agent.json'), 'utf8')).toBe(text);
  });
  test('with a damaged identity is not started over by itself', () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'agent.json'), '{"data_vers');
    const ran = runCommand(dataDir, ['status']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('agent.json');
  });
  test('held by a process that does not answer is exit code 4', async () => {
    const { takeLock } = await import('../../../agent/commands/run-file.ts');
    mkdirSync(dataDir);
    const lock = takeLock(dataDir);
    expect(lock).toBeDefined();
    const ran = runCommand(dataDir, ['list']);
    lock?.release();
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(dataDir);
  });
});

describe('up', () => {
  test('says so when its port is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((done) => { server.listen(0, '127.0.0.1', () => { const a = server.address(); done(typeof a === 'object' && a ? a.port : 0); }); });
    const up = startUp(dataDir, port);
    expect(await up.ended).toBe(1);
    expect(up.log()).toContain(`Port ${port} is taken`);
    server.close();
  });

  test('indexes, lists as pure JSON, and a second start reads nothing again', async () => {
    const library = await makeLibrary(join(base, 'photos'), 12);
    let up = await start([library.dir]);
    const health = Healthz.parse(await waitIdle(up));
    expect(health.assets).toBe(library.assets);
    const listed = await runCommandAsync(dataDir, ['list', '--json']);
    expect(listed.code, listed.stderr).toBe(0);
    const lines = listed.stdout.trim().split('\n').map((l) => ListLine.parse(JSON.parse(l)));
    expect(lines.length).toBe(library.assets);
    const times = lines.map((l) => l.taken_at ?? '9999');
    expect(times).toEqual([...times].sort());
    expect(lines.flatMap((l) => l.locations).every((l) => l.state === 'present')).toBe(true);
    await stopUp(up);
    running.pop();

    up = await start([]);
    await waitIdle(up);
    const again = await runCommandAsync(dataDir, ['sync', '--once', '--json']);
    expect(again.code, again.stderr).toBe(3);
    const report = IndexReport.parse(JSON.parse(again.stdout));
    expect({ ...report, failed: report.failed.length }).toMatchObject({ indexed: 0, changed: 0, moved: 0, failed: library.failed });
    expect(report.seen).toBe(report.unchanged + report.sidecar + report.ignored + report.duplicate + report.failed.length);
  });

  test('a second start on the same data hands its folder to the first', async () => {
    const first = await start([]);
    await waitIdle(first);
    const { dir } = await makeLibrary(join(base, 'later'), 2);
    const second = startUp(dataDir, await freePort(), [dir]);
    expect(await second.ended, second.log()).toBe(0);
    expect(second.log()).toContain(first.url);
    const health = await waitIdle(first);
    expect(health.assets).toBe(4);
  });

  test('a Worker left over from a killed start is found and ended', async () => {
    const first = await start([]);
    await waitIdle(first);
    const run = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { worker_processes: { pid: number }[] };
    expect(run.worker_processes.length).toBeGreaterThan(0);
    expect(killAgentOnly(dataDir)).toBe(true);
    await first.ended;
    await sleep(200);
    expect((await fetch(`${first.url}/healthz`)).ok, 'the Worker is left over').toBe(true);
    const second = await start([]);
    await waitIdle(second);
    expect(second.log()).toContain('cut off');
    await expect(fetch(`${first.url}/healthz`)).rejects.toThrow();
  });

  test('new files in a watched folder appear by themselves', async () => {
    const { dir } = await makeLibrary(join(base, 'watched'), 3);
    const up = await start([dir]);
    expect((await waitIdle(up)).assets).toBe(5);
    const { makeScene } = await import('../../../scripts/demo-scenes.ts');
    writeFileSync(join(dir, 'new.jpg'), (await makeScene(500)).bytes);
    const until = Date.now() + 60_000;
    let assets: number | null = 0;
    while (Date.now() < until && assets !== 6) { await sleep(300); assets = (await waitIdle(up)).assets; }
    expect(assets).toBe(6);
  });

  test('ends when asked to, at rest and at work, and is away at once', async () => {
    const { dir } = await makeLibrary(join(base, 'library'), 12);
    const working = await start([dir]);
    while (!working.log().includes('Jharokha is at')) await sleep(20);
    await sleep(400);
    expect(await stopUp(working), working.log()).toBe(0);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
    const resting = await start([]);
    await waitIdle(resting);
    expect(await stopUp(resting), resting.log()).toBe(0);
    // A Worker alone would believe in an agent that did not say goodbye until its lease runs out.
    const host = await startMiniflare({ dataDir, port: 0, token: 'x'.repeat(64) });
    try { expect(Healthz.parse(await (await fetch(`${host.url}/healthz`)).json()).agent).toBe('away'); } finally { await host.close(); }
  });

  test('what was set on a page is on the next page', async () => {
    const library = await makeLibrary(join(base, 'library'), 3);
    const up = await start([]);
    await waitIdle(up);
    const post = (path: string, form: Record<string, string>) => fetch(up.url + path, { method: 'POST', headers: { origin: up.url }, body: new URLSearchParams(form) });
    const added = await (await post('/folders', { path: library.dir })).text();
    expect(added).toContain('library</bdi>');
    const root = /href="(\/folders\/(?!add)[^"/]+)"/.exec(added)?.[1] ?? 'no folder on the page';
    const saved = await post(`${root}/excludes`, { excludes: 'Odd\n*.psd' });
    expect(saved.url).toBe(`${up.url}${root}?done=excludes`);
    expect(await saved.text()).toContain('Odd\n*.psd</textarea>');
    const removed = await (await post(`${root}/remove`, {})).text();
    expect(removed).not.toContain('library</bdi>');
  });
});

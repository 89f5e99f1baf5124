// `npm start`: the Worker, the agent beside it, the folders named, and then watching until it is told to stop.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { CommandError, DEFAULT_PORT, EXIT, openDataDir, reason, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { watchNights } from './curation-export.ts';
import { applyChoices, findRunning, remoteInstance } from './instance.ts';
import { clearProgress, progressText, safe, say, showProgress } from './print.ts';
import { endLeftovers, removeRunFile, takeLock, writeRunFile } from './run-file.ts';
import { startMiniflare, startWranglerDev, waitForPort, type WorkerHost } from './worker-host.ts';

/** The Worker is asked this often whether it lives; after so many silences it is started again. */
const HEALTH_EVERY_MS = 5_000;
const HEALTH_SILENCES = 3;
/** A killed Worker's port is free some milliseconds after it; a busy machine takes longer. */
const LEFTOVER_PORT_MS = 5_000;

export async function run(options: Options): Promise<number> {
  const identity = openDataDir(options.dataDir);
  const folders = options.args.map((a) => resolve(a));
  const running = await findRunning(options.dataDir, identity.token);
  if (running) {
    const instance = remoteInstance(running, identity);
    await applyChoices((chosen) => instance.ask('set_options', chosen), options);
    for (const folder of folders) {
      const { root_id } = await instance.ask('add_root', { path: folder });
      await instance.ask('scan', { root_id });
    }
    say(`Jharokha already runs at ${running.url}/${folders.length > 0 ? ' and is reading what you named.' : '.'}`);
    if (options.open) openBrowser(running.url);
    return EXIT.ok;
  }
  const lock = takeLock(options.dataDir);
  if (!lock) throw new CommandError(`Another Jharokha holds the data folder ${options.dataDir} and does not answer. Wait for it to finish, or end it (its process is in run.json there).`, EXIT.held);
  try {
    const left = await endLeftovers(options.dataDir);
    const port = options.port ?? DEFAULT_PORT;
    if (left > 0) {
      say('An earlier start was cut off; its Worker was still running and has been ended.');
      await waitForPort(port, LEFTOVER_PORT_MS);
    }
    const start = (): Promise<WorkerHost> => (options.dev ? startWranglerDev : startMiniflare)({ dataDir: options.dataDir, port, token: identity.token });
    let host = await start();
    writeRunFile(options.dataDir, host.url);
    say(`Jharokha is at ${host.url}/`);
    if (options.open) openBrowser(host.url);

    const { createEngine } = await import('./engine.ts');
    let said = '';
    const engine = await createEngine({
      dataDir: options.dataDir, identity, worker: { url: host.url, token: identity.token }, watch: true,
      warn: say,
      onStatus: (status) => {
        showProgress(status);
        const line = status.phase === 'idle' ? progressText(status) : status.phase;
        if (!process.stderr.isTTY && line !== said) { said = line; say(progressText(status)); }
      },
    });
    const stopped = waitForStop();
    await applyChoices(engine.handlers.set_options, options);
    let trouble: string | undefined;
    try {
      if (folders.length > 0) await engine.addFolders(folders);
    } catch (error) { trouble = reason(error); say(trouble); }
    engine.scanSoon(null);

    let silences = 0;
    const health = setInterval(() => {
      callWorker({ url: host.url, token: identity.token }, '/healthz', { timeoutMs: HEALTH_EVERY_MS }).then(async (r) => { await r.arrayBuffer(); silences = 0; }, async () => {
        silences += 1;
        if (silences !== HEALTH_SILENCES) return;
        say('The Worker does not answer; starting it again.');
        await host.close().catch(() => { /* it is gone already */ });
        host = await start();
        writeRunFile(options.dataDir, host.url);
        silences = 0;
      }).catch((error: unknown) => { say(`The Worker could not be started again: ${reason(error)}`); silences = 0; });
    }, HEALTH_EVERY_MS);

    const nights = watchNights({
      worker: () => ({ url: host.url, token: identity.token }), dataDir: options.dataDir, say,
      // What is made behind everything else may take days, and is in nobody's way.
      isAtRest: () => ['idle', 'embedding', 'proxies'].includes(engine.status().phase),
    });

    const why = await Promise.race([stopped, host.ended]);
    clearInterval(health);
    clearProgress();
    say(why === '' ? 'Stopping…' : why);
    await nights.stop();
    await engine.close();
    await host.close();
    removeRunFile(options.dataDir);
    return trouble === undefined ? EXIT.ok : EXIT.usage;
  } finally { lock.release(); }
}

/** Resolves with '' at the first Ctrl-C or request to end; a second one ends at once, which is safe at any moment. */
function waitForStop(): Promise<string> {
  return new Promise((done) => {
    let asked = false;
    const stop = () => { if (asked) process.exit(EXIT.fatal); asked = true; done(''); };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // Miniflare's own handler ends the process on the spot, before anybody has said goodbye.
      process.removeAllListeners(signal);
      process.on(signal, stop);
    }
  });
}

function openBrowser(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'] ? 'xdg-open' : undefined;
  if (!command) return;
  const child = spawn(command, [`${url}/`], { stdio: 'ignore', detached: true });
  child.on('error', () => { say(`Open ${safe(url)}/ in a browser.`); });
  child.unref();
}

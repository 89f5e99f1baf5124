// One crash run: index and sync a library with SIGKILLs at seeded moments, then let it finish, and compare with the
// library of an uninterrupted run. Real processes, nothing simulated but the moment.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../scripts/demo-scenes.ts';
import { freePort, killAgentOnly, killGroup, runCommandAsync, startUp, stopUp, waitIdle } from '../support/instance.ts';
import { differences, snapshotLibrary } from '../support/snapshot.ts';

export interface CrashOutcome { seed: number; kills: string[]; differences: string[]; report: string }

export interface Baseline { snapshot: string[]; durationMs: number }

/** The uninterrupted run, and how long it took from start to idle: kills are spread over that time. */
export async function runBaseline(folder: string): Promise<Baseline> {
  const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-whole-'));
  try {
    const started = performance.now();
    const up = startUp(dataDir, await freePort(), [folder]);
    await waitIdle(up);
    const durationMs = performance.now() - started;
    await stopUp(up);
    return { snapshot: snapshotLibrary(dataDir), durationMs };
  } finally { rmSync(dataDir, { recursive: true, force: true }); }
}

/** Kills one to three times, then finishes and compares. */
export async function runCrash(seed: number, folder: string, baseline: Baseline): Promise<CrashOutcome> {
  const random = createRandom(seed);
  const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-crash-'));
  const port = await freePort();
  const kills: string[] = [];
  try {
    const times = 1 + Math.floor(random() * 3);
    for (let i = 0; i < times; i += 1) {
      // The folder is named at every start: a kill may come before it was written down.
      const up = startUp(dataDir, port, [folder]);
      const after = Math.round((0.05 + random() * 0.95) * baseline.durationMs);
      const whole = random() < 0.6;
      await Promise.race([sleep(after), up.ended]);
      if (up.child.exitCode !== null) throw new Error(`seed ${seed}: up ended by itself with ${up.child.exitCode}:\n${up.log()}`);
      const agentOnly = !whole && killAgentOnly(dataDir);
      if (!agentOnly) killGroup(up);
      kills.push(`${agentOnly ? 'agent' : 'all'} after ${after} ms`);
      await up.ended;
    }
    const up = startUp(dataDir, port, [folder]);
    await waitIdle(up);
    const doctor = await runCommandAsync(dataDir, ['doctor', '--json']);
    await stopUp(up);
    const found = differences(baseline.snapshot, snapshotLibrary(dataDir));
    const health = JSON.parse(doctor.stdout || '{}') as { catalog?: string; renditions_missing?: number };
    if (health.catalog !== 'ok' || health.renditions_missing !== 0) found.push(`doctor: ${doctor.stdout}${doctor.stderr}`);
    return { seed, kills, differences: found, report: up.log() };
  } finally { rmSync(dataDir, { recursive: true, force: true }); }
}

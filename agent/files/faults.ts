// Faults on demand, for tests: wraps a FileAccess or FileChanges so that chosen calls fail as a real drive would, or end the
// process at that very call. Touches no file itself.
import { readFileSync, Stats } from 'node:fs';
import type { FileAccess, OpenFile } from './access.ts';
import type { FileChanges } from './changes.ts';
import { explainError, FileError } from './errors.ts';

export type FaultOp = 'lstat' | 'list' | 'open' | 'read' | keyof FileChanges | 'any';

/**
 * One thing that goes wrong. `match` is a regular expression on the absolute path. `error` is an errno; `effect` is
 * what the world looks like instead: `changes` and `vanishes` show only after the file has been read, `dataless` makes
 * lstat report no blocks, `kill` ends the process with SIGKILL before the call, and `kill_after` right after it.
 */
export interface Fault {
  match: string;
  op: FaultOp;
  error?: string;
  effect?: 'changes' | 'vanishes' | 'dataless' | 'kill' | 'kill_after';
  /** Matching calls that still succeed before the first failure. */
  after?: number;
  /** How many calls fail; without it, all. */
  times?: number;
  /** Share of calls that fail, 0 to 1, by the seed. */
  chance?: number;
  seed?: number;
}

interface Armed { fault: Fault; pattern: RegExp; calls: number; failed: number; random: () => number }

export type FaultyAccess = FileAccess & { setFaults(faults: readonly Fault[]): void };

/** A small seeded generator (mulberry32), so that a failing run can be repeated from its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Faults {
  /** Replaces them and starts their counts anew. */
  setFaults(faults: readonly Fault[]): void;
  /** The fault that this call meets, if any; throws where it is an error, ends the process where it is a `kill`. */
  meet(path: string, op: FaultOp): Fault | undefined;
}

export function createFaults(faults: readonly Fault[], platform: NodeJS.Platform): Faults {
  let armed: Armed[] = [];
  const setFaults = (next: readonly Fault[]): void => {
    armed = next.map((fault) => ({ fault, pattern: new RegExp(fault.match, 's'), calls: 0, failed: 0, random: seededRandom(fault.seed ?? 1) }));
  };
  setFaults(faults);
  const strike = (path: string, op: FaultOp): Fault | undefined => {
    for (const a of armed) {
      if ((a.fault.op !== op && a.fault.op !== 'any') || !a.pattern.test(path)) continue;
      a.calls += 1;
      if (a.calls <= (a.fault.after ?? 0) || a.failed >= (a.fault.times ?? Infinity)) continue;
      if (a.fault.chance !== undefined && a.random() >= a.fault.chance) continue;
      a.failed += 1;
      return a.fault;
    }
    return undefined;
  };
  return {
    setFaults,
    meet: (path, op) => {
      const fault = strike(path, op);
      if (fault?.effect === 'kill') process.kill(process.pid, 'SIGKILL');
      if (fault?.error) throw explainError(Object.assign(new Error(`${fault.error}: injected, ${op} ${path}`), { code: fault.error }), platform);
      return fault;
    },
  };
}

/** The faults that a file lists; none where it cannot be read. */
export function readFaults(file: string): Fault[] {
  try { return JSON.parse(readFileSync(file, 'utf8')) as Fault[]; } catch { return []; }
}

/** `access`, failing as `faults` say; `setFaults` replaces them and starts their counts anew. */
export function withFaults(access: FileAccess, faults: readonly Fault[]): FaultyAccess {
  const { setFaults, meet: refuse } = createFaults(faults, access.platform);
  const after = (fault: Fault | undefined): void => { if (fault?.effect === 'kill_after') process.kill(process.pid, 'SIGKILL'); };
  return {
    ...access,
    setFaults,
    lstat: (path) => {
      const fault = refuse(path, 'lstat');
      const stat = access.lstat(path);
      after(fault);
      return fault?.effect === 'dataless' ? Object.assign(Object.create(Stats.prototype) as Stats, stat, { blocks: 0 }) : stat;
    },
    list: (folder) => {
      const fault = refuse(folder, 'list');
      const listing = access.list(folder);
      after(fault);
      return listing;
    },
    open: async (path): Promise<OpenFile> => {
      const opening = refuse(path, 'open');
      const file = await access.open(path);
      after(opening);
      const around = async <T>(read: () => Promise<T>): Promise<T> => {
        const fault = refuse(path, 'read');
        const result = await read();
        after(fault);
        if (fault?.effect === 'changes') throw new FileError('changed_while_read', '', 'It changed while it was being read.');
        if (fault?.effect === 'vanishes') throw new FileError('vanished', 'ENOENT', 'It was there a moment ago and is gone.');
        return result;
      };
      return { ...file, hash: () => around(file.hash), pass: (use) => around(() => file.pass(use)) };
    },
  };
}

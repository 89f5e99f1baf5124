// Faults on demand, for tests: wraps a FileAccess so that chosen calls fail as a real drive would. Touches no file.
import { Stats } from 'node:fs';
import type { FileAccess, OpenFile } from './access.ts';
import { explainError, FileError } from './errors.ts';

export type FaultOp = 'lstat' | 'list' | 'open' | 'read' | 'any';

/**
 * One thing that goes wrong. `match` is a regular expression on the absolute path. `error` is an errno; `effect` is
 * what the world looks like instead: `changes` and `vanishes` show only after the file has been read, `dataless` makes
 * lstat report no blocks.
 */
export interface Fault {
  match: string;
  op: FaultOp;
  error?: string;
  effect?: 'changes' | 'vanishes' | 'dataless';
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

/** `access`, failing as `faults` say; `setFaults` replaces them and starts their counts anew. */
export function withFaults(access: FileAccess, faults: readonly Fault[]): FaultyAccess {
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
  const refuse = (path: string, op: FaultOp): Fault | undefined => {
    const fault = strike(path, op);
    if (fault?.error) throw explainError(Object.assign(new Error(`${fault.error}: injected, ${op} ${path}`), { code: fault.error }), access.platform);
    return fault;
  };

  return {
    ...access,
    setFaults,
    lstat: (path) => {
      const fault = refuse(path, 'lstat');
      const stat = access.lstat(path);
      return fault?.effect === 'dataless' ? Object.assign(Object.create(Stats.prototype) as Stats, stat, { blocks: 0 }) : stat;
    },
    list: (folder) => { refuse(folder, 'list'); return access.list(folder); },
    open: async (path): Promise<OpenFile> => {
      refuse(path, 'open');
      const file = await access.open(path);
      return {
        ...file,
        hash: async () => {
          const fault = refuse(path, 'read');
          const result = await file.hash();
          if (fault?.effect === 'changes') throw new FileError('changed_while_read', '', 'It changed while it was being read.');
          if (fault?.effect === 'vanishes') throw new FileError('vanished', 'ENOENT', 'It was there a moment ago and is gone.');
          return result;
        },
      };
    },
  };
}

// The command line and the data folder: what the owner typed, parsed once; nothing else reads process.argv.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import type { AgentOptions } from '../protocol/link.ts';
import { checkNominatimUrl } from '../protocol/nominatim-url.ts';
import { SearchSort } from '../protocol/search.ts';
import { DEFAULT_TEMPLATE } from '../protocol/orders.ts';
import { DATA_VERSION } from '../protocol/versions.ts';
import { Sha256 } from '../protocol/words.ts';

export const DEFAULT_PORT = 8420;

/** Exit codes, as in the README: the one list. */
export const EXIT = { ok: 0, fatal: 1, usage: 2, someFailed: 3, held: 4, question: 5 } as const;

/** An error whose message is for the owner, with the exit code that goes with it. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.fatal) { super(message); this.name = 'CommandError'; this.exitCode = exitCode; }
}

export interface Options {
  command: string;
  args: string[];
  dataDir: string;
  port: number | null;
  open: boolean;
  json: boolean;
  once: boolean;
  all: boolean;
  dev: boolean;
  help: boolean;
  answer: 'gone' | 'keep' | null;
  /** Of an import: only say what it would do; the file's word wins. */
  dryRun: boolean; replace: boolean;
  /** Of orders: the last known copies may go; where to (a drive, or a folder); into which folder there; and the rest. */
  order: { lastCopies: boolean; to: string | null; into: string; template: string; sidecars: boolean; share: number; slowly: boolean; withinDrive: boolean };
  search: { sort: SearchSort; weaker: boolean; limit: number; like: string | null };
  /** What the owner chose of the agent's own work; kept from then on. */
  chosen: Partial<AgentOptions>;
}

/** Parses a command line. Throws CommandError (usage) that names the word it did not understand. */
export function parseCommandLine(argv: readonly string[]): Options {
  let parsed;
  // `search beach -people`: a word that must not be there, and no option has one dash and more than a letter.
  const isUnwanted = (word: string) => argv[0] === 'search' && /^-[^-]./.test(word);
  try {
    parsed = parseArgs({
      args: argv.filter((word) => !isUnwanted(word)), allowPositionals: true, strict: true,
      options: {
        data: { type: 'string' }, port: { type: 'string' }, 'no-open': { type: 'boolean' }, json: { type: 'boolean' }, once: { type: 'boolean' },
        all: { type: 'boolean' }, dev: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, gone: { type: 'boolean' }, keep: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, replace: { type: 'boolean' },
        sort: { type: 'string' }, weaker: { type: 'boolean' }, limit: { type: 'string' }, like: { type: 'string' },
        geocoder: { type: 'string' }, 'geocoder-url': { type: 'string' }, proxies: { type: 'boolean' }, 'no-proxies': { type: 'boolean' },
        'last-copies': { type: 'boolean' }, to: { type: 'string' }, into: { type: 'string' }, template: { type: 'string' }, 'no-sidecars': { type: 'boolean' }, share: { type: 'string' }, slowly: { type: 'boolean' }, 'within-drive': { type: 'boolean' },
        'search-model': { type: 'string' }, 'model-dir': { type: 'string' }, 'no-model-dir': { type: 'boolean' },
      },
    });
  } catch (error) {
    // "-snow" is a word of a search and looks like an option.
    const hint = argv[0] === 'search' ? 'Words that begin with - stand last, after --: npm run -s jharokha -- search mountains -- -snow' : 'See: npm run -s jharokha -- --help';
    throw new CommandError(`${error instanceof Error ? error.message.split('. ')[0] : String(error)}. ${hint}`, EXIT.usage);
  }
  const v = parsed.values;
  const [command, ...args] = [...parsed.positionals, ...argv.filter(isUnwanted)];
  let port: number | null = null;
  if (v.port !== undefined) {
    port = Number(v.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new CommandError(`--port takes a number from 1 to 65535, not ${JSON.stringify(v.port)}.`, EXIT.usage);
  }
  if (v.gone && v.keep) throw new CommandError('--gone and --keep exclude each other.', EXIT.usage);
  if (v['model-dir'] !== undefined && v['no-model-dir']) throw new CommandError('--model-dir and --no-model-dir exclude each other.', EXIT.usage);
  if (v.proxies && v['no-proxies']) throw new CommandError('--proxies and --no-proxies exclude each other.', EXIT.usage);
  return {
    command: command ?? '', args, dataDir: resolve(v.data ?? process.env['JHAROKHA_DATA'] ?? join(homedir(), '.jharokha')), port,
    open: !v['no-open'], json: v.json ?? false, once: v.once ?? false, all: v.all ?? false, dev: v.dev ?? false, help: v.help ?? false,
    answer: v.gone ? 'gone' : v.keep ? 'keep' : null, dryRun: v['dry-run'] ?? false, replace: v.replace ?? false,
    order: {
      lastCopies: v['last-copies'] ?? false, to: v.to ?? null, into: v.into ?? '', template: v.template ?? DEFAULT_TEMPLATE, sidecars: !v['no-sidecars'], share: parseShare(v.share), slowly: v.slowly ?? false, withinDrive: v['within-drive'] ?? false,
    },
    search: { ...parseSearch(v.sort, v.limit, v.like), weaker: v.weaker ?? false },
    chosen: { ...parseGeocoder(v.geocoder, v['geocoder-url']), ...(v.proxies ? { proxies: true } : v['no-proxies'] ? { proxies: false } : {}), ...parseSearchModel(v['search-model'], v['no-model-dir'] ? '' : v['model-dir']) },
  };
}

function parseShare(share: string | undefined): number {
  const percent = share === undefined ? 100 : Number(share.replace(/%$/, ''));
  if (!Number.isInteger(percent) || percent < 1 || percent > 100) throw new CommandError(`--share takes a number of percent from 1 to 100, not ${JSON.stringify(share)}.`, EXIT.usage);
  return percent;
}

const SEARCH_LIMIT = 50;
const MAX_SEARCH_LIMIT = 10_000;

function parseSearch(sort: string | undefined, limit: string | undefined, like: string | undefined): Omit<Options['search'], 'weaker'> {
  const order = SearchSort.safeParse(sort ?? 'relevance');
  if (!order.success) throw new CommandError(`--sort takes ${SearchSort.options.join(', ')}, not ${JSON.stringify(sort)}.`, EXIT.usage);
  const most = limit === undefined ? SEARCH_LIMIT : Number(limit);
  if (!Number.isInteger(most) || most < 1 || most > MAX_SEARCH_LIMIT) throw new CommandError(`--limit takes a number from 1 to ${MAX_SEARCH_LIMIT}, not ${JSON.stringify(limit)}.`, EXIT.usage);
  if (like !== undefined && !Sha256.safeParse(like).success) throw new CommandError(`--like takes the SHA-256 of an asset (64 lower-case hex digits), not ${JSON.stringify(like)}.`, EXIT.usage);
  return { sort: order.data, limit: most, like: like ?? null };
}

/** An address alone chooses Nominatim too. */
function parseGeocoder(geocoder: string | undefined, url: string | undefined): Partial<AgentOptions> {
  if (geocoder !== undefined && geocoder !== 'offline' && geocoder !== 'nominatim') throw new CommandError(`--geocoder takes offline or nominatim, not ${JSON.stringify(geocoder)}.`, EXIT.usage);
  const chosen: Partial<AgentOptions> = geocoder === undefined ? {} : { geocoder };
  if (url === undefined) return chosen;
  try { return { geocoder: 'nominatim', ...chosen, nominatim_url: checkNominatimUrl(url) }; } catch (error) { throw new CommandError(`--geocoder-url: ${reason(error)}`, EXIT.usage); }
}

/** An empty folder forgets the one that was named before. */
function parseSearchModel(profile: string | undefined, folder: string | undefined): Partial<AgentOptions> {
  if (profile !== undefined && profile !== 'standard' && profile !== 'light' && profile !== 'off') throw new CommandError(`--search-model takes standard, light or off, not ${JSON.stringify(profile)}.`, EXIT.usage);
  const chosen: Partial<AgentOptions> = profile === undefined ? {} : { search_model: profile };
  if (folder === undefined) return chosen;
  if (folder === '') return { ...chosen, model_dir: null };
  const path = resolve(folder);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new CommandError(`--model-dir: there is no folder ${path}.`, EXIT.usage);
  return { ...chosen, model_dir: path };
}

const AgentFile = z.object({ data_version: z.int(), agent_id: z.string(), token: z.string().min(32) });
export type AgentIdentity = z.infer<typeof AgentFile>;

/**
 * Opens (or makes) the data folder and this agent's identity in it. Throws CommandError for a folder that a newer
 * version wrote, or that cannot be written; an unreadable identity is never replaced by itself.
 */
export function openDataDir(dataDir: string): AgentIdentity {
  const file = join(dataDir, 'agent.json');
  try { mkdirSync(dataDir, { recursive: true, mode: 0o700 }); } catch (error) {
    throw new CommandError(`Cannot make the data folder ${dataDir}: ${reason(error)}. Choose another with --data DIR.`);
  }
  if (existsSync(file)) {
    let json: unknown;
    try { json = JSON.parse(readFileSync(file, 'utf8')); } catch (error) {
      throw new CommandError(`${file} cannot be read (${reason(error)}). It holds this agent's identity; restore it from a backup, or move the data folder away to start afresh.`);
    }
    const version = z.object({ data_version: z.number() }).safeParse(json);
    if (version.success && version.data.data_version > DATA_VERSION) {
      throw new CommandError(`The data folder ${dataDir} was written by a newer Jharokha (data version ${version.data.data_version}, this one knows ${DATA_VERSION}). Update Jharokha, or choose another folder with --data DIR. Nothing was changed.`);
    }
    const parsed = AgentFile.safeParse(json);
    if (!parsed.success) throw new CommandError(`${file} is not what Jharokha wrote (${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}). Restore it, or move the data folder away to start afresh.`);
    return parsed.data;
  }
  const identity: AgentIdentity = { data_version: DATA_VERSION, agent_id: randomUUID(), token: randomBytes(32).toString('hex') };
  try {
    writeFileSync(`${file}.tmp`, `${JSON.stringify(identity, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  } catch (error) { throw new CommandError(`Cannot write to the data folder ${dataDir}: ${reason(error)}. Choose another with --data DIR.`); }
  return identity;
}

/** The short sentence of an error, with the system's code in words where there is one. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = { ENOSPC: 'the disk is full', EACCES: 'not allowed', EPERM: 'not allowed', EROFS: 'the disk is read-only', ENOENT: 'it does not exist', ENOTDIR: 'it is not a folder', EADDRINUSE: 'the port is taken' };
  return words[code] ?? error.message;
}

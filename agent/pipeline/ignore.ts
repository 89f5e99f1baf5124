// What a walk passes by: our own folders, trash, backups, other programs' packages, and the owner's excludes. Pure.
import { createHash } from 'node:crypto';

/** Raise it when the built-in rules change: such a change, like one of the owner's, makes nothing missing. */
const RULES_VERSION = 1;

const SYSTEM_FOLDERS = new Map<string, string>([
  ['.trashes', 'trash'], ['.trash', 'trash'], ['$recycle.bin', 'trash'], ['#recycle', 'trash'], ['recycler', 'trash'],
  ['.spotlight-v100', 'kept by the system'], ['.fseventsd', 'kept by the system'], ['.temporaryitems', 'kept by the system'], ['.documentrevisions-v100', 'kept by the system'],
  ['lost+found', 'kept by the system'], ['system volume information', 'kept by the system'], ['@eadir', 'previews made by a network drive'], ['.@__thumb', 'previews made by a network drive'],
  ['backups.backupdb', 'Time Machine backup'], ['.mobilebackups', 'Time Machine backup'],
]);

/** Packages whose originals are read, and the folders inside that hold them. */
const READ_PACKAGES = new Map<string, ReadonlySet<string>>([
  ['.photoslibrary', new Set(['originals', 'masters'])],
  ['.photolibrary', new Set(['originals', 'masters'])],
]);

/** Folders that other programs present as one file, and that hold no originals of the owner's own keeping. */
const SKIPPED_PACKAGES = new Set([
  '.lrdata', '.lrlibrary', '.lrcat-data', '.fcpbundle', '.fcpcache', '.fcpproject', '.aplibrary', '.migratedaplibrary', '.migratedphotolibrary', '.app', '.bundle', '.framework', '.plugin',
  '.imovielibrary', '.imovieproject', '.theater', '.tvlibrary', '.musiclibrary', '.band', '.logicx', '.cocatalog', '.cocatalogdb', '.key', '.pages', '.numbers', '.rtfd', '.photoboothlibrary',
  '.backupbundle', '.sparsebundle', '.xcarchive',
]);

function extension(name: string): string {
  const at = name.lastIndexOf('.');
  return at > 0 ? name.slice(at).toLowerCase() : '';
}

export type FolderRule = { as: 'walk' } | { as: 'package'; only: ReadonlySet<string> } | { as: 'skip'; reason: string };

/** What the built-in rules say of a folder by its name. */
export function judgeFolder(name: string): FolderRule {
  const lower = name.toLowerCase();
  if (lower.startsWith('.jharokha')) return { as: 'skip', reason: 'Jharokha\'s own' };
  const system = SYSTEM_FOLDERS.get(lower) ?? (lower.startsWith('.trash-') ? 'trash' : undefined);
  if (system) return { as: 'skip', reason: system };
  const ext = extension(name);
  const only = READ_PACKAGES.get(ext);
  if (only) return { as: 'package', only };
  if (ext === '.backupbundle' || ext === '.sparsebundle') return { as: 'skip', reason: 'Time Machine backup' };
  return SKIPPED_PACKAGES.has(ext) ? { as: 'skip', reason: 'belongs to another program' } : { as: 'walk' };
}

/** True where the file of this name is our own. */
export function isOwnFile(name: string): boolean {
  return name.startsWith('.jharokha');
}

/** True where any part of the path is another program's package: what lies there takes no orders. */
export function isInPackage(path: string): boolean {
  return path.split('/').some((part) => { const ext = extension(part); return READ_PACKAGES.has(ext) || SKIPPED_PACKAGES.has(ext); });
}

/** True for a path relative to the root, and whether it is a folder. */
export type Excluded = (path: string, isFolder: boolean) => boolean;

/**
 * The owner's excludes, one pattern a line. Without a slash a pattern is the name of a file or folder at any depth;
 * with one it is a path from the root. `*` is any text within a name, `?` one character, `**` any number of folders; a
 * slash at the end means folders alone. What lies in an excluded folder is excluded. Where the volume takes two
 * spellings for one name, so do the patterns.
 */
export function compileExcludes(patterns: readonly string[], exactNames: boolean): Excluded {
  const fold = (text: string): string => (exactNames ? text : text.normalize('NFC').toLowerCase());
  const rules = patterns.map((p) => p.trim()).filter((p) => p !== '' && p !== '/').map((pattern) => {
    const foldersOnly = pattern.endsWith('/');
    const body = fold(foldersOnly ? pattern.slice(0, -1) : pattern);
    return { byName: !body.includes('/'), foldersOnly, test: compileGlob(body.replace(/^\//, '')) };
  });
  if (rules.length === 0) return () => false;
  return (path, isFolder) => {
    const whole = fold(path);
    const name = whole.slice(whole.lastIndexOf('/') + 1);
    return rules.some((r) => (isFolder || !r.foldersOnly) && r.test.test(r.byName ? name : whole));
  };
}

const WILD = new Map([['**/', '(?:[^/]+/)*'], ['/**', '/.+'], ['**', '.*'], ['?', '[^/]'], ['*', '[^/]*']]);

function compileGlob(glob: string): RegExp {
  const parts = glob.replace(/\*{3,}/g, '**').split(/(\*\*\/|\/\*\*$|\*\*|\*|\?)/).filter((part) => part !== '');
  let source = '';
  let groups = 0;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? '';
    if (part !== '*') { source += WILD.get(part) ?? literal(part); continue; }
    // Between two stars of one name the first place will do: never looked at again, or a name of many a's takes hours.
    let between = '';
    let next = i + 1;
    for (let p = parts[next]; p !== undefined && (p === '?' || !WILD.has(p)) && !p.includes('/'); p = parts[next += 1]) between += WILD.get(p) ?? literal(p);
    if (parts[next] !== '*') { source += '[^/]*'; continue; }
    groups += 1;
    source += `(?=([^/]*?${between}))\\${groups}`;
    i = next - 1;
  }
  return new RegExp(`^${source}$`, 'su');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Changes whenever the rules of a scan do: the built-in ones, or the excludes of any root that it walks. */
export function hashRules(roots: readonly { path: string; excludes: readonly string[] }[]): string {
  const text = JSON.stringify([RULES_VERSION, roots.map((r) => [r.path, r.excludes]).sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

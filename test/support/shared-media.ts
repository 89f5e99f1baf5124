// Finds the folder of real media beside the repository. Tests that need it are skipped, with the reason, where it is not there.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TruthLine {
  path: string; sha256: string; decodable: boolean | null; file_type: string | null;
  exif_taken_at: string | null; exif_offset_minutes: number | null; latitude: number | null; longitude: number | null;
  quicktime_creationdate: string | null; content_identifier: string | null; width: number | null; height: number | null;
}

/** A folder of `shared` beside the repository or beside one of the folders above it, or why it cannot be used. `file` must be in it. */
export function findShared(folder: string, file: string, variable: string): { dir: string; reason?: undefined } | { dir?: undefined; reason: string } {
  const named = process.env[variable];
  if (named) return existsSync(join(named, file)) ? { dir: named } : { reason: `${variable} names a folder without ${file}` };
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  for (let at = dirname(root); ; at = dirname(at)) {
    const dir = join(at, 'shared', folder);
    if (existsSync(join(dir, file))) return { dir };
    if (dirname(at) === at) return { reason: `no ../shared/${folder} beside the repository` };
  }
}

export function findSharedMedia(): ReturnType<typeof findShared> {
  return findShared('media', 'truth.jsonl', 'JHAROKHA_SHARED_MEDIA');
}

export function readTruth(dir: string): TruthLine[] {
  return readFileSync(join(dir, 'truth.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as TruthLine);
}

export interface ManifestRow { path: string; tests: string; /** The hand-checked text before `||`; empty where ExifTool alone spoke. */ hand: string }

export function readManifest(dir: string): ManifestRow[] {
  return readFileSync(join(dir, 'MANIFEST.tsv'), 'utf8').split('\n').slice(1).filter(Boolean).map((line) => {
    const [path = '', , , , , tests = '', truth = ''] = line.split('\t');
    return { path, tests, hand: truth.startsWith('exiftool12') ? '' : (truth.split('||')[0] ?? '').trim() };
  });
}

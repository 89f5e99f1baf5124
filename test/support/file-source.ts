// FileSources over buffers and real files, for tests of the readers.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FileSource, Identified, QuickRead, Reader, RestRead } from '../../agent/pipeline/types.ts';

/** A source over bytes; `path` need not exist unless ExifTool is asked. */
export function bytesSource(name: string, bytes: Buffer, options: { path?: string; whole?: boolean; mtimeMs?: number } = {}): FileSource {
  return {
    path: options.path ?? `/nowhere/${name}`, name, sizeBytes: bytes.length, mtimeMs: options.mtimeMs ?? 0, bytes: options.whole === false ? null : bytes,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** Writes bytes under their name into a folder, and gives the source of that file. */
export function fileSource(dir: string, name: string, bytes: Buffer): FileSource {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return bytesSource(name, bytes, { path });
}

export function existingSource(path: string): FileSource {
  return bytesSource(basename(path), readFileSync(path), { path, mtimeMs: statSync(path).mtimeMs });
}

export function identifySource(reader: Reader, source: FileSource, bytes: Buffer | null = source.bytes): Identified {
  return reader.identify(source.name, source.sizeBytes, (bytes ?? Buffer.alloc(0)).subarray(0, 4096));
}

/** Both phases of a file that must be an asset. */
export async function readBoth(reader: Reader, source: FileSource, head = source.bytes): Promise<{ quick: QuickRead; rest: RestRead | null; type: Extract<Identified, { as: 'asset' }> }> {
  const type = identifySource(reader, source, head);
  if (type.as !== 'asset') throw new Error(`${source.name} is no asset: ${JSON.stringify(type)}`);
  const quick = await reader.quick(source, type);
  return { quick, rest: quick.unfinished ? await reader.rest(source, quick.facts) : null, type };
}

// Where the vector index's filter columns go. (Stands in until the embedded index is there.)
import type { Env } from '../env.ts';
import type { IndexColumns } from './reader.ts';

export async function setIndexColumns(_env: Env, _rows: readonly IndexColumns[]): Promise<void> {}
export async function removeIndexColumns(_env: Env, _sha256s: readonly string[]): Promise<void> {}

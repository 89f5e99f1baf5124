// `sync`: look through every folder now, read what changed, store it.
import type { Options } from '../config.ts';
import { indexRoots } from './index.ts';

export function run(options: Options): Promise<number> { return indexRoots(options, null); }

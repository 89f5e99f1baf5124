// Types of fingerprint.mjs, which must be JavaScript (see there).
export const AGENT_INPUTS: readonly string[];
export function fingerprint(root: string, inputs: readonly string[]): string;
export function isFresh(path: string, stamp: string): boolean;
export function agentFolder(root: string, stamp: string): string;

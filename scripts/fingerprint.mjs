// Whether what was built is still what would be built: the sizes and times of every input, as make does it. Plain
// JavaScript without imports of its own, for every start runs it before anything else.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What the agent's bundle is made from, relative to the repository. */
export const AGENT_INPUTS = ['agent', 'protocol', 'scripts/build.ts', 'scripts/fingerprint.mjs', 'package-lock.json'];

/** Hex SHA-256 over name, size and modification time of every file under `inputs`, which are relative to `root`. */
export function fingerprint(root, inputs) {
  const lines = [];
  const visit = (path) => {
    const stat = lstatSync(path);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    else lines.push(`${relative(root, path)} ${stat.size} ${stat.mtimeMs}`);
  };
  for (const input of inputs) visit(join(root, input));
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** Whether `path` was built from inputs of this stamp. */
export function isFresh(path, stamp) {
  try {
    lstatSync(path);
    return readFileSync(`${path}.stamp`, 'utf8') === stamp;
  } catch { return false; }
}

/**
 * The folder of the agent's bundle for this stamp: a name of its own for each, so that an agent that runs while another
 * one is built still finds the parts that it has not loaded yet.
 */
export function agentFolder(root, stamp) {
  return join(root, '.build', `agent-${stamp.slice(0, 12)}`);
}

// Where a thread's or process's script lies: beside its caller as source (tests), or beside it in the agent's bundle.

/** The URL of the script `name` (no extension) in the folder of `callerUrl`, the caller's own import.meta.url. */
export function siblingScript(name: string, callerUrl: string): URL {
  return new URL(callerUrl.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, callerUrl);
}

// What the owner has chosen for the agent's work, kept in the catalog.
import { AgentOptions } from '../../protocol/link.ts';
import type { Catalog } from './catalog.ts';

const KEY = 'options';
const DEFAULTS: AgentOptions = { proxies: true, geocoder: 'offline', nominatim_url: null, search_model: 'standard', model_dir: null };

export function readOptions(catalog: Catalog): AgentOptions {
  const kept = catalog.getMeta(KEY);
  if (kept === undefined) return DEFAULTS;
  const parsed = AgentOptions.partial().safeParse(JSON.parse(kept));
  return { ...DEFAULTS, ...(parsed.success ? parsed.data : {}) };
}

/** Changes what `patch` names; returns all of them. */
export function writeOptions(catalog: Catalog, patch: Partial<AgentOptions>): AgentOptions {
  const options = { ...readOptions(catalog), ...patch };
  catalog.setMeta(KEY, JSON.stringify(options));
  return options;
}

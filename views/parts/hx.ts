// The attributes of htmx, spelled in one place: JSX cannot write some of their names, and a typo would be silent.

export interface HxOptions {
  get?: string; post?: string;
  trigger?: string; target?: string; swap?: string;
  /** Other fields that are sent too: a selector. */
  include?: string;
  /** Put the address into the address bar. */
  push?: boolean;
}

/** Attributes for a fragment request; spread them into an element. */
export function hx(options: HxOptions): Record<string, string> {
  const out: Record<string, string> = {};
  if (options.get !== undefined) out['hx-get'] = options.get;
  if (options.post !== undefined) out['hx-post'] = options.post;
  if (options.trigger !== undefined) out['hx-trigger'] = options.trigger;
  if (options.target !== undefined) out['hx-target'] = options.target;
  if (options.swap !== undefined) out['hx-swap'] = options.swap;
  if (options.include !== undefined) out['hx-include'] = options.include;
  if (options.push) out['hx-push-url'] = 'true';
  return out;
}

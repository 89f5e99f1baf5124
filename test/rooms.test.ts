// Holds the rules of which room may import which (ARCHITECTURE.md, Rooms). Reads every source file's imports.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Rule { from: RegExp; mayImport: RegExp[]; why: string }

const LIBRARY = /^[@a-z]/;
const NODE = /^node:/;
const PROTOCOL = /^protocol\//;

/** First match wins. Paths are from the project's root; packages are their names. A file of the same folder is always fine, but for routes. */
const RULES: Rule[] = [
  { from: /^protocol\//, mayImport: [/^zod$/, PROTOCOL], why: 'protocol imports zod alone' },
  { from: /^views\/client\//, mayImport: [/^(htmx\.org|htmx\.org\/.*|leaflet|topojson-client)$/, PROTOCOL, /^views\/client\//], why: 'islands import browser libraries and protocol' },
  { from: /^views\/offline\//, mayImport: [PROTOCOL, /^views\/offline\//], why: 'the service worker runs where no page does' },
  { from: /^views\//, mayImport: [/^hono\/jsx/, /^hono\/html$/, /^lucide/, PROTOCOL, /^views\/(?!(client|offline)\/)/], why: 'views are pure JSX' },
  { from: /^worker\/(store|db)\//, mayImport: [/^drizzle-orm/, /^zod$/, PROTOCOL, /^worker\/(store|db)\//, /^worker\/env\.ts$/], why: 'store knows D1 and protocol, no page' },
  { from: /^worker\/(search|link)\//, mayImport: [/^cloudflare:/, /^zod$/, /^@qdrant\/js-client-rest$/, PROTOCOL, /^worker\/(store|db|link|search)\//, /^worker\/(env|errors)\.tsx?$/], why: 'link and search know no page' },
  { from: /^worker\/routes\//, mayImport: [/^hono/, /^zod$/, PROTOCOL, /^worker\/(store|search|link|middleware)\//, /^worker\/(env|errors)\.tsx?$/, /^views\//, /^\.build\//], why: 'a route imports no other route and no SQL' },
  { from: /^worker\/middleware\//, mayImport: [/^hono/, PROTOCOL, /^worker\/(store|link|search|middleware)\//, /^worker\/(env|errors)\.tsx?$/, /^views\//, /^\.build\//], why: 'middleware stands before the pages' },
  { from: /^worker\/(index|errors|env)\.tsx?$/, mayImport: [/^hono/, PROTOCOL, /^worker\//, /^views\//, /^\.build\//], why: 'the entry composes' },
  { from: /^agent\/(files|volumes|catalog)\//, mayImport: [LIBRARY, NODE, PROTOCOL, /^agent\/(files|volumes|catalog)\//], why: 'they know no stage, no push, no command' },
  { from: /^agent\/pipeline\//, mayImport: [LIBRARY, NODE, PROTOCOL, /^agent\/(files|catalog|volumes|pipeline)\//], why: 'stages know no push, link, orders or command' },
  { from: /^agent\/(push|link|orders)\//, mayImport: [LIBRARY, NODE, PROTOCOL, /^agent\/(files|volumes|catalog|push|link|orders)\//], why: 'they know no stage and no command' },
  { from: /^agent\/commands\//, mayImport: [LIBRARY, NODE, PROTOCOL, /^agent\//, /^scripts\/build\.ts$/], why: 'commands compose the agent' },
  { from: /^agent\/(main|config)\.ts$/, mayImport: [LIBRARY, NODE, PROTOCOL, /^agent\/(config\.ts|commands\/)/], why: 'main picks a command' },
];

function sources(dir: string): string[] {
  return readdirSync(join(ROOT, dir), { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.tsx?$/.test(e.name) && !/\.(test|spec|d)\.tsx?$/.test(e.name))
    .map((e) => relative(ROOT, join(e.parentPath, e.name)));
}

/** What a file imports, types too (a room that knows another's types knows the other): packages by name, own files by their path from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(/(?:^|\n)(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...found].map((m) => m[1] ?? m[2] ?? '').map((i) => (i.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), i)) : i));
}

describe('rooms', () => {
  const files = ['protocol', 'agent', 'worker', 'views'].flatMap(sources);

  test('every source file is in a room with a rule', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((f) => !RULES.some((r) => r.from.test(f)))).toEqual([]);
  });

  test('no room imports what it may not', () => {
    const broken: string[] = [];
    for (const file of files) {
      const rule = RULES.find((r) => r.from.test(file));
      for (const target of importsOf(file)) {
        if (rule && !rule.mayImport.some((m) => m.test(target))) broken.push(`${file} imports ${target} (${rule.why})`);
      }
    }
    expect(broken).toEqual([]);
  });

  test('of the pipeline only the place and model stages may use the network', () => {
    const network = files.filter((file) => file.startsWith('agent/pipeline/') && /\b(fetch|WebSocket)\(|node:(https?|http2|net|tls|dgram|dns)\b/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(network.sort()).toEqual(['agent/pipeline/embed/download.ts', 'agent/pipeline/nominatim.ts']);
  });

  test('the rules can fail', () => {
    expect(importsOf('worker/index.tsx').some((i) => i.startsWith('worker/routes/'))).toBe(true);
    const rule = RULES.find((r) => r.from.test('protocol/x.ts'));
    expect(rule?.mayImport.some((m) => m.test('node:fs'))).toBe(false);
  });
});

// Design tokens are in one file: no other stylesheet, and no view, names a colour.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const VIEWS = fileURLToPath(new URL('../views/', import.meta.url));
const COLOUR = /#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|(?<=[:\s,(])(?:white|black|gray|grey|silver|red|orange|yellow|green|blue|navy|teal|purple|pink|brown|gold|beige|ivory|snow|tan)(?=[\s;,)!])/gi;

/** Colours that a text names, outside its comments and its addresses of parts (`url(#a)`, selectors by id). */
function coloursIn(css: string): string[] {
  const declarations = css.replace(/\/\*[\s\S]*?\*\//g, '').match(/(?<=[{;]\s*)[-a-z]+\s*:[^;{}]+(?=[;}])/gi) ?? [];
  return declarations.flatMap((each) => (each.replace(/url\([^)]*\)/g, '') + ';').match(COLOUR) ?? []);
}

test('no stylesheet but the tokens names a colour', () => {
  const files = readdirSync(join(VIEWS, 'styles')).filter((name) => name.endsWith('.css'));
  expect(files).toContain('tokens.css');
  const named = files.filter((name) => name !== 'tokens.css').flatMap((name) => coloursIn(readFileSync(join(VIEWS, 'styles', name), 'utf8')).map((colour) => `${name}: ${colour}`));
  expect(named).toEqual([]);
});

test('every token that is used is there', () => {
  const all = readdirSync(join(VIEWS, 'styles')).map((name) => readFileSync(join(VIEWS, 'styles', name), 'utf8')).join('\n');
  const made = new Set([...all.matchAll(/(?:^|[{;\s])(--[a-z0-9-]+)\s*:/g)].map((match) => match[1]));
  const missing = [...all.matchAll(/var\((--[a-z0-9-]+)\s*\)/g)].map((match) => match[1]).filter((name) => !made.has(name));
  // Set on the element itself, in its style attribute.
  const own = ['--r', '--w', '--p', '--n'];
  expect([...new Set(missing)].filter((name) => name !== undefined && !own.includes(name))).toEqual([]);
});

test('the look for colours can fail', () => {
  expect(coloursIn('a { color: #fff; b: url(#id) } /* red */ #add { color: var(--ink); background: white; border: 1px solid oklch(0.1 0 0) }').sort()).toEqual(['#fff', 'oklch(', 'white']);
});

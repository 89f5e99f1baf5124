// Builds what the Worker serves, the Worker itself and the agent into .build/. Skips what has not changed, so that a second start is
// quick. Must not read anything outside the repository.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BuildOptions } from 'esbuild';
import { AGENT_INPUTS, agentFolder, fingerprint, isFresh } from './fingerprint.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, '.build');
const STATIC_MODULE = join(OUT, 'static.ts');
const WORKER_BUNDLE = join(OUT, 'worker.js');
/** workerd compiles no WebAssembly at run time: it comes as a module of its own, beside the bundle, which imports it by this name. */
const SCAN_WASM = 'scan.wasm';
/** The project's own budgets, in bytes after gzip. */
const MAX_FIRST_PAGE_BYTES = 60_000;
const MAX_WORKER_BYTES = 250_000;
/** The accent and the light paper of views/styles/tokens.css, for files that know no CSS. */
const MARIGOLD = '#d0781c';
const PAPER = '#fdfcfa';
/** Styles in the order in which they may override each other. */
const STYLES = ['tokens', 'base', 'frame', 'timeline', 'viewer', 'pages', 'search'];
const STATIC_INPUTS = ['views/client', 'views/offline', 'views/error-page.tsx', 'views/styles', 'views/parts/mark.ts', 'scripts/build.ts', 'package-lock.json'];
const WORKER_INPUTS = ['worker', 'views', 'protocol', 'scripts/build.ts', 'package.json', 'package-lock.json'];

/** `base64`: what `body` is, where it is no text. */
interface StaticFile { body: string; mime: string; base64?: true }

/** Writes `.build/static.ts`: script, stylesheet, mark and manifest as text, under names that hold their content's hash. */
export async function buildStatic(): Promise<{ path: string; built: boolean }> {
  const stamp = fingerprint(ROOT, STATIC_INPUTS);
  if (isFresh(STATIC_MODULE, stamp)) return { path: STATIC_MODULE, built: false };
  const [script, style] = await Promise.all([bundleScript(), bundleStyle()]);
  const { MARK_PATHS } = await import('../views/parts/mark.ts');
  const scriptUrl = `/s/app.${shortHash(script)}.js`;
  const styleUrl = `/s/app.${shortHash(style)}.css`;
  const files: Record<string, StaticFile> = {
    [scriptUrl]: { body: script, mime: 'text/javascript; charset=utf-8' },
    [styleUrl]: { body: style, mime: 'text/css; charset=utf-8' },
    '/favicon.svg': { body: writeFavicon(MARK_PATHS), mime: 'image/svg+xml' },
    '/site.webmanifest': { body: writeManifest(), mime: 'application/manifest+json' },
    ...await drawIcons(MARK_PATHS),
  };
  files['/sw.js'] = { body: await bundleServiceWorker(files), mime: 'text/javascript; charset=utf-8' };
  checkBudget('first page (script + style)', gzipSize(script) + gzipSize(style), MAX_FIRST_PAGE_BYTES);
  await writeWhole(STATIC_MODULE, [
    '// Written by scripts/build.ts; not for editing.',
    'export interface StaticFile { body: string; mime: string; base64?: true }',
    `export const SCRIPT_URL = ${JSON.stringify(scriptUrl)};`,
    `export const STYLE_URL = ${JSON.stringify(styleUrl)};`,
    `export const FILES: Record<string, StaticFile> = ${JSON.stringify(files)};`, '',
  ].join('\n'));
  await writeWhole(`${STATIC_MODULE}.stamp`, stamp);
  return { path: STATIC_MODULE, built: true };
}

/** The built Worker as Miniflare takes it: the bundle first, then what it imports. */
export async function workerModules(): Promise<{ type: 'ESModule' | 'CompiledWasm'; path: string; contents: string | Uint8Array<ArrayBuffer> }[]> {
  const { path } = await buildWorker();
  return [
    { type: 'ESModule', path: 'worker.js', contents: await readFile(path, 'utf8') },
    { type: 'CompiledWasm', path: SCAN_WASM, contents: Uint8Array.from(await readFile(join(OUT, SCAN_WASM))) },
  ];
}

/** Bundles the Worker (and its static part first) to one module that Miniflare and the edge take as it is, with its WebAssembly beside it. */
export async function buildWorker(): Promise<{ path: string; built: boolean }> {
  await buildStatic();
  const stamp = fingerprint(ROOT, [...WORKER_INPUTS, '.build/static.ts.stamp']);
  if (isFresh(WORKER_BUNDLE, stamp)) return { path: WORKER_BUNDLE, built: false };
  const code = await bundle({
    entryPoints: [join(ROOT, 'worker/index.tsx')], format: 'esm', target: 'es2023', conditions: ['workerd', 'worker', 'browser'], mainFields: ['browser', 'module', 'main'],
    external: ['node:*', 'cloudflare:*', '*.wasm'], jsx: 'automatic', jsxImportSource: 'hono/jsx', keepNames: false,
  });
  checkBudget('Worker', gzipSize(code), MAX_WORKER_BYTES);
  await writeWhole(join(OUT, SCAN_WASM), await readFile(join(ROOT, 'worker/search', SCAN_WASM)));
  await writeWhole(WORKER_BUNDLE, code);
  await writeWhole(`${WORKER_BUNDLE}.stamp`, stamp);
  return { path: WORKER_BUNDLE, built: true };
}

/**
 * Bundles the agent into a folder of its own, a file for each entry and each part that several share. Libraries stay where
 * npm put them, but zod: loaded module by module it takes as long as the agent itself.
 */
export async function buildAgent(): Promise<{ path: string; built: boolean }> {
  const stamp = fingerprint(ROOT, AGENT_INPUTS);
  const folder = agentFolder(ROOT, stamp);
  const main = join(folder, 'main.js');
  if (isFresh(main, stamp)) return { path: main, built: false };
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const { build } = await import('esbuild');
  const result = await build({
    // engine.ts is the benches' entry; the workers are processes and threads of their own.
    entryPoints: ['agent/main.ts', 'agent/commands/engine.ts', 'agent/config.ts', 'agent/pipeline/heic-worker.ts', 'agent/pipeline/video-worker.ts', 'agent/pipeline/proxy-worker.ts', 'agent/pipeline/embed/tower-worker.ts'],
    bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node24', write: false, outdir: folder, entryNames: '[name]', chunkNames: '[name]-[hash]',
    external: ['../../scripts/build.ts', ...Object.keys(dependencies).filter((name) => name !== 'zod').flatMap((name) => [name, `${name}/*`])],
    legalComments: 'none', logLevel: 'warning', absWorkingDir: ROOT,
  });
  // main.js last: whoever finds it finds all that it imports.
  const files = [...result.outputFiles].sort((a, b) => Number(a.path === main) - Number(b.path === main));
  for (const file of files) await writeWhole(file.path, file.text);
  await writeWhole(`${main}.stamp`, stamp);
  await sweepAgents(folder);
  return { path: main, built: true };
}

/** Removes bundles of a week ago: an agent that still runs from a younger one may load a part of it at any time. */
async function sweepAgents(current: string): Promise<void> {
  for (const name of await readdir(OUT)) {
    const path = join(OUT, name);
    if (!/^agent-[0-9a-f]{12}$/.test(name) || path === current) continue;
    if (Date.now() - (await stat(path)).mtimeMs > 7 * 86_400_000) await rm(path, { recursive: true, force: true });
  }
}

function bundleScript(): Promise<string> {
  return bundle({ entryPoints: [join(ROOT, 'views/client/main.ts')], format: 'iife', target: 'es2022', mainFields: ['browser', 'module', 'main'] });
}

/** Its shell is everything else that is served as it is, and the page for no page; a new byte of any makes another service worker. */
async function bundleServiceWorker(files: Record<string, StaticFile>): Promise<string> {
  const page = await readFile(join(ROOT, 'views/error-page.tsx'), 'utf8');
  const build = shortHash(JSON.stringify(files) + page);
  return bundle({
    entryPoints: [join(ROOT, 'views/offline/sw.ts')], format: 'iife', target: 'es2022', mainFields: ['browser', 'module', 'main'],
    define: { BUILD: JSON.stringify(build), SHELL: JSON.stringify([...Object.keys(files), '/offline']) },
  });
}

async function bundleStyle(): Promise<string> {
  const parts = await Promise.all(STYLES.map((name) => readFile(join(ROOT, 'views/styles', `${name}.css`), 'utf8')));
  const { transform } = await import('esbuild');
  // The browsers that know light-dark(): nothing of it may be rewritten into several themes.
  return (await transform(parts.join('\n'), { loader: 'css', minify: true, target: ['chrome123', 'safari17.5', 'firefox120'] })).code;
}

async function bundle(options: BuildOptions): Promise<string> {
  // Loaded only when there is something to build: it would cost a second start more than all the rest.
  const { build } = await import('esbuild');
  const result = await build({ ...options, bundle: true, write: false, minify: true, legalComments: 'none', logLevel: 'warning', absWorkingDir: ROOT });
  const text = result.outputFiles?.[0]?.text;
  if (text === undefined) throw new Error('esbuild gave no output');
  return text;
}

function writeFavicon(paths: readonly string[]): string {
  const lines = paths.map((d) => `<path d="${d}"/>`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="${MARIGOLD}" stroke-width="2.1" stroke-linecap="round" stroke-linejoin="round">${lines}</svg>`;
}

/** The mark on paper, for home screens and docks. A maskable icon may be cut to a circle of four fifths: its mark is smaller, its paper has no corners. */
async function drawIcons(paths: readonly string[]): Promise<Record<string, StaticFile>> {
  const { default: sharp } = await import('sharp');
  const draw = async (size: number, share: number, corner: number): Promise<StaticFile> => {
    const scale = (size * share) / 32;
    const at = (size - 32 * scale) / 2;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" rx="${size * corner}" fill="${PAPER}"/>
      <g transform="translate(${at} ${at}) scale(${scale})" fill="none" stroke="${MARIGOLD}" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">${paths.map((d) => `<path d="${d}"/>`).join('')}</g></svg>`;
    return { body: (await sharp(Buffer.from(svg)).png({ palette: true, compressionLevel: 9 }).toBuffer()).toString('base64'), mime: 'image/png', base64: true };
  };
  return { '/icon-180.png': await draw(180, 0.68, 0), '/icon-192.png': await draw(192, 0.72, 0.22), '/icon-512.png': await draw(512, 0.72, 0.22), '/icon-maskable-512.png': await draw(512, 0.54, 0) };
}

function writeManifest(): string {
  return JSON.stringify({
    id: '/', name: 'Jharokha', short_name: 'Jharokha', description: 'Your photos, with the drives in a drawer.', lang: 'en', start_url: '/', scope: '/', display: 'standalone', background_color: PAPER, theme_color: PAPER,
    icons: [
      { src: '/favicon.svg', sizes: 'any', type: 'image/svg+xml' },
      { src: '/icon-192.png', sizes: '192x192', type: 'image/png' }, { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
      { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    ],
    shortcuts: [{ name: 'Search', url: '/search' }, { name: 'Albums', url: '/albums' }, { name: 'Places', url: '/places' }],
  });
}

/** A second build at the same time must never read half a file. */
async function writeWhole(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, text);
  await rename(part, path);
}

function checkBudget(what: string, bytes: number, budget: number): void {
  console.error(`${what}: ${(bytes / 1000).toFixed(1)} KB gzip of ${budget / 1000}`);
  if (bytes > budget) throw new Error(`${what} is over its budget: ${bytes} bytes after gzip, ${budget} allowed`);
}

function gzipSize(text: string): number {
  return gzipSync(text, { level: 9 }).byteLength;
}
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const done = process.argv.includes('--static') ? await buildStatic() : await buildWorker();
  console.error(done.built ? `built ${relative(ROOT, done.path)}` : 'nothing has changed');
}

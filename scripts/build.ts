// Builds what the Worker serves, the Worker itself and the agent into .build/. Skips what has not changed, so that a second start is
// quick. Must not read anything outside the repository.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BuildOptions } from 'esbuild';
import { flattenRing, project } from '../protocol/map.ts';
import { WORLD_UNITS, WORLD_URL } from '../views/parts/world.ts';
import { AGENT_INPUTS, agentFolder, fingerprint, isFresh } from './fingerprint.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, '.build');
const STATIC_MODULE = join(OUT, 'static.ts');
const WORKER_BUNDLE = join(OUT, 'worker.js');
/** workerd compiles no WebAssembly at run time: it comes as a module of its own, beside the bundle, which imports it by this name. */
const SCAN_WASM = 'scan.wasm';
/** What is served as it is lies in modules of bytes beside the Worker's script, which wrangler too knows by this ending. */
const STATIC_PARTS = [
  'app-script.bin', 'app-style.bin', 'map-script.bin', 'map-style.bin', 'map-coarse.bin', 'map-fine.bin', 'map-small.bin',
  'favicon.bin', 'manifest.bin', 'icon-180.bin', 'icon-192.bin', 'icon-512.bin', 'icon-maskable-512.bin', 'sw.bin',
] as const;
type PartName = (typeof STATIC_PARTS)[number];
/** What a page loads for the map, beside the first page's own, before the finer shapes. */
const MAX_MAP_BYTES = 110_000;
/** The project's own budgets, in bytes after gzip. */
const MAX_FIRST_PAGE_BYTES = 60_000;
const MAX_WORKER_BYTES = 250_000;
/** The accent and the light paper of views/styles/tokens.css, for files that know no CSS. */
const MARIGOLD = '#d0781c';
const PAPER = '#fdfcfa';
/** Styles in the order in which they may override each other. */
const STYLES = ['tokens', 'base', 'frame', 'timeline', 'viewer', 'pages', 'search', 'organise', 'copies', 'select', 'orders'];
const STATIC_INPUTS = ['views/client', 'views/offline', 'views/error-page.tsx', 'views/styles', 'views/parts/mark.ts', 'views/parts/world.ts', 'protocol', 'scripts/build.ts', 'package-lock.json'];
const WORKER_INPUTS = ['worker', 'views', 'protocol', 'scripts/build.ts', 'package.json', 'package-lock.json'];

interface StaticFile { url: string; body: string | Uint8Array; mime: string }
/** As much of TopoJSON as world-atlas uses. */
interface Topology {
  type: 'Topology'; transform: { scale: [number, number]; translate: [number, number] }; arcs: [number, number][][];
  objects: { countries: { type: 'GeometryCollection'; geometries: { type: 'Polygon' | 'MultiPolygon'; arcs: number[][] | number[][][]; properties: { name: string } }[] } };
}

/** Writes what is served as it is into modules of bytes, and `.build/static.ts`, which names them: under addresses that hold their content's hash, but for those that browsers know by name. */
export async function buildStatic(): Promise<{ path: string; built: boolean }> {
  const stamp = fingerprint(ROOT, STATIC_INPUTS);
  if (isFresh(STATIC_MODULE, stamp)) return { path: STATIC_MODULE, built: false };
  const [script, style, mapScript, mapStyle, coarse, fine] = await Promise.all([bundleScript('main.ts'), bundleStyle(), bundleScript('map/main.ts'), bundleMapStyle(), slimShapes('110m'), slimShapes('50m')]);
  const { MARK_PATHS } = await import('../views/parts/mark.ts');
  const [js, css, json, svg, png] = ['text/javascript; charset=utf-8', 'text/css; charset=utf-8', 'application/json', 'image/svg+xml', 'image/png'];
  const hashed = (name: string, ending: string, body: string, mime: string): StaticFile => ({ url: `/s/${name}.${shortHash(body)}.${ending}`, body, mime });
  const shell: Record<Exclude<PartName, 'sw.bin'>, StaticFile> = {
    'app-script.bin': hashed('app', 'js', script, js), 'app-style.bin': hashed('app', 'css', style, css),
    'map-script.bin': hashed('map', 'js', mapScript, js), 'map-style.bin': hashed('map', 'css', mapStyle, css),
    'map-coarse.bin': hashed('land', 'json', JSON.stringify(coarse), json), 'map-fine.bin': hashed('land-fine', 'json', JSON.stringify(fine), json),
    'map-small.bin': { url: WORLD_URL, body: drawWorld(coarse), mime: svg },
    'favicon.bin': { url: '/favicon.svg', body: writeFavicon(MARK_PATHS), mime: svg }, 'manifest.bin': { url: '/site.webmanifest', body: writeManifest(), mime: 'application/manifest+json' },
    'icon-180.bin': { url: '/icon-180.png', body: await drawIcon(MARK_PATHS, 180, 0.68, 0), mime: png }, 'icon-192.bin': { url: '/icon-192.png', body: await drawIcon(MARK_PATHS, 192, 0.72, 0.22), mime: png },
    // A maskable icon may be cut to a circle of four fifths: its mark is smaller, its paper has no corners.
    'icon-512.bin': { url: '/icon-512.png', body: await drawIcon(MARK_PATHS, 512, 0.72, 0.22), mime: png }, 'icon-maskable-512.bin': { url: '/icon-maskable-512.png', body: await drawIcon(MARK_PATHS, 512, 0.54, 0), mime: png },
  };
  const files: Record<PartName, StaticFile> = { ...shell, 'sw.bin': { url: '/sw.js', body: await bundleServiceWorker(Object.values(shell)), mime: js } };
  checkBudget('first page (script + style)', gzipSize(script) + gzipSize(style), MAX_FIRST_PAGE_BYTES);
  checkBudget('map (script, style and shapes)', gzipSize(mapScript) + gzipSize(mapStyle) + gzipSize(JSON.stringify(coarse)), MAX_MAP_BYTES);
  for (const name of STATIC_PARTS) await writeWhole(join(OUT, name), files[name].body);
  const address = (name: PartName) => JSON.stringify(files[name].url);
  await writeWhole(STATIC_MODULE, [
    '// Written by scripts/build.ts; not for editing.',
    ...STATIC_PARTS.map((name, i) => `import part${i} from './${name}';`),
    'export interface StaticFile { body: ArrayBuffer; mime: string }',
    `export const SCRIPT_URL = ${address('app-script.bin')};`, `export const STYLE_URL = ${address('app-style.bin')};`,
    `export const MAP_SCRIPT_URL = ${address('map-script.bin')};`, `export const MAP_STYLE_URL = ${address('map-style.bin')};`,
    `export const LAND_URL = ${address('map-coarse.bin')};`, `export const LAND_FINE_URL = ${address('map-fine.bin')};`,
    `export const FILES: Record<string, StaticFile> = { ${STATIC_PARTS.map((name, i) => `${address(name)}: { body: part${i}, mime: ${JSON.stringify(files[name].mime)} }`).join(', ')} };`, '',
  ].join('\n'));
  await writeWhole(`${STATIC_MODULE}.stamp`, stamp);
  return { path: STATIC_MODULE, built: true };
}

/** The built Worker as Miniflare takes it: the bundle first, then what it imports. */
export async function workerModules(): Promise<{ type: 'ESModule' | 'CompiledWasm' | 'Data'; path: string; contents: string | Uint8Array<ArrayBuffer> }[]> {
  const { path } = await buildWorker();
  return [
    { type: 'ESModule', path: 'worker.js', contents: await readFile(path, 'utf8') },
    { type: 'CompiledWasm', path: SCAN_WASM, contents: Uint8Array.from(await readFile(join(OUT, SCAN_WASM))) },
    ...await Promise.all(STATIC_PARTS.map(async (name) => ({ type: 'Data' as const, path: name, contents: Uint8Array.from(await readFile(join(OUT, name))) }))),
  ];
}

/** Bundles the Worker (and its static part first) to one module that Miniflare and the edge take as it is, with its WebAssembly beside it. */
export async function buildWorker(): Promise<{ path: string; built: boolean }> {
  await buildStatic();
  const stamp = fingerprint(ROOT, [...WORKER_INPUTS, '.build/static.ts.stamp']);
  if (isFresh(WORKER_BUNDLE, stamp)) return { path: WORKER_BUNDLE, built: false };
  const code = await bundle({
    entryPoints: [join(ROOT, 'worker/index.tsx')], format: 'esm', target: 'es2023', conditions: ['workerd', 'worker', 'browser'], mainFields: ['browser', 'module', 'main'],
    external: ['node:*', 'cloudflare:*', '*.wasm', '*.bin'], jsx: 'automatic', jsxImportSource: 'hono/jsx', keepNames: false,
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

/** `main.ts` is every page's; others are loaded where they are needed. */
function bundleScript(entry: string): Promise<string> {
  return bundle({ entryPoints: [join(ROOT, 'views/client', entry)], format: 'iife', target: 'es2022', mainFields: ['browser', 'module', 'main'] });
}

/** Its shell is everything else that is served as it is, and the page for no page; a new byte of any makes another service worker. */
async function bundleServiceWorker(files: readonly StaticFile[]): Promise<string> {
  const page = await readFile(join(ROOT, 'views/error-page.tsx'), 'utf8');
  const build = createHash('sha256').update(page);
  for (const { url, body } of files) build.update(url).update(body);
  return bundle({
    entryPoints: [join(ROOT, 'views/offline/sw.ts')], format: 'iife', target: 'es2022', mainFields: ['browser', 'module', 'main'],
    define: { BUILD: JSON.stringify(build.digest('hex').slice(0, 10)), SHELL: JSON.stringify([...files.map(({ url }) => url), '/offline']) },
  });
}

async function bundleStyle(): Promise<string> {
  return minifyStyle((await Promise.all(STYLES.map((name) => readFile(join(ROOT, 'views/styles', `${name}.css`), 'utf8')))).join('\n'));
}

/** Leaflet's own rules, without its pictures and old browsers' filters, and ours over them. */
async function bundleMapStyle(): Promise<string> {
  const [leaflet, own] = await Promise.all([readFile(join(ROOT, 'node_modules/leaflet/dist/leaflet.css'), 'utf8'), readFile(join(ROOT, 'views/styles/map.css'), 'utf8')]);
  return minifyStyle(`${leaflet.replace(/^.*\burl\(.*$/gm, '').replace(/^.*progid:.*$/gm, '')}\n${own}`);
}

async function minifyStyle(css: string): Promise<string> {
  const { transform } = await import('esbuild');
  // The browsers that know light-dark(): nothing of it may be rewritten into several themes.
  return (await transform(css, { loader: 'css', minify: true, target: ['chrome123', 'safari17.5', 'firefox120'] })).code;
}

async function bundle(options: BuildOptions): Promise<string> {
  // Loaded only when there is something to build: it would cost a second start more than all the rest.
  const { build } = await import('esbuild');
  const result = await build({ ...options, bundle: true, write: false, minify: true, legalComments: 'none', logLevel: 'warning', absWorkingDir: ROOT });
  const text = result.outputFiles?.[0]?.text;
  if (text === undefined) throw new Error('esbuild gave no output');
  return text;
}

/** The countries of world-atlas, each with its name alone; what lies in the sea round them is not drawn. */
async function slimShapes(scale: '110m' | '50m'): Promise<Topology> {
  const { type, transform, arcs, objects } = JSON.parse(await readFile(join(ROOT, `node_modules/world-atlas/countries-${scale}.json`), 'utf8')) as Topology;
  const geometries = objects.countries.geometries.map(({ type: kind, arcs: lines, properties }) => ({ type: kind, arcs: lines, properties: { name: properties.name } }));
  return { type, transform, arcs, objects: { countries: { type: 'GeometryCollection', geometries } } };
}

/** All countries as one path in Web Mercator for the small map of a photo's place. */
function drawWorld(shapes: Topology): string {
  const [[kx, ky], [dx, dy]] = [shapes.transform.scale, shapes.transform.translate];
  const lines = shapes.arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([stepX, stepY]) => {
      [x, y] = [x + stepX, y + stepY];
      return [x * kx + dx, y * ky + dy] as const;
    });
  });
  // Rings are runs of lines, some of them backwards; each begins where the one before has ended.
  const rings = shapes.objects.countries.geometries.flatMap((each) => (each.type === 'Polygon' ? each.arcs as number[][] : (each.arcs as number[][][]).flat()))
    .flatMap((ring) => flattenRing(ring.flatMap((index, i) => (index < 0 ? (lines[~index] ?? []).toReversed() : lines[index] ?? []).slice(i === 0 ? 0 : 1))));
  const d = rings.map((ring) => {
    const points = ring.map(([longitude, latitude]) => { const at = project({ longitude, latitude }); return [Math.round(at.x * WORLD_UNITS), Math.round(at.y * WORLD_UNITS)] as const; });
    const steps = points.slice(1).map(([x, y], i) => [x - (points[i]?.[0] ?? 0), y - (points[i]?.[1] ?? 0)] as const).filter(([x, y]) => x !== 0 || y !== 0);
    return steps.length < 3 ? '' : `M${points[0]?.join(' ')}l${steps.map(([x, y], i) => `${x < 0 || i === 0 ? '' : ' '}${x}${y < 0 ? '' : ' '}${y}`).join('')}z`;
  }).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WORLD_UNITS} ${WORLD_UNITS}"><path id="land" d="${d}"/></svg>`;
}

function writeFavicon(paths: readonly string[]): string {
  const lines = paths.map((d) => `<path d="${d}"/>`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="${MARIGOLD}" stroke-width="2.1" stroke-linecap="round" stroke-linejoin="round">${lines}</svg>`;
}

/** The mark on paper, for home screens and docks: `share` of its side, on paper with corners of `corner`. */
async function drawIcon(paths: readonly string[], size: number, share: number, corner: number): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const scale = (size * share) / 32;
  const at = (size - 32 * scale) / 2;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" rx="${size * corner}" fill="${PAPER}"/>
    <g transform="translate(${at} ${at}) scale(${scale})" fill="none" stroke="${MARIGOLD}" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">${paths.map((d) => `<path d="${d}"/>`).join('')}</g></svg>`;
  return sharp(Buffer.from(svg)).png({ palette: true, compressionLevel: 9 }).toBuffer();
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

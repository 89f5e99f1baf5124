// `npm run dev` in short: wrangler dev with the agent beside it, on the data that `npm start` keeps.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort, startUp, stopUp, waitIdle } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';

const base = mkdtempSync(join(tmpdir(), 'jharokha-dev-'));
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

test('wrangler dev and npm start show one and the same library', { timeout: 240_000 }, async () => {
  const library = await makeLibrary(join(base, 'photos'), 4);
  const dataDir = join(base, 'data');
  const dev = startUp(dataDir, await freePort(), [library.dir, '--dev']);
  try {
    expect((await waitIdle(dev)).assets).toBe(library.assets);
    const page = await (await fetch(dev.url)).text();
    expect(page.match(/class="tile/g)?.length).toBe(library.assets);
  } finally { await stopUp(dev); }
  const up = startUp(dataDir, await freePort());
  try {
    expect((await waitIdle(up)).assets).toBe(library.assets);
    const tile = /\/r\/[0-9a-f]{64}\/grid\.\d+\.webp/.exec(await (await fetch(up.url)).text())?.[0] ?? '';
    const rendition = await fetch(`${up.url}${tile}`);
    expect(rendition.status).toBe(200);
    expect(rendition.headers.get('content-type')).toBe('image/webp');
  } finally { await stopUp(up); }
});

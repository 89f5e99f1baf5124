// Test projects: the Worker on real workerd with real D1 and R2, the agent on Node, pages in a real browser.
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Long enough for a cold workerd, ExifTool or a browser on two busy cores; a hang still ends. */
const TIMEOUT_MS = 60_000;

export default defineConfig(async () => ({
  test: {
    // Half of the time is spent waiting for processes to start and to end: more files at a time than the two cores that are counted on.
    maxWorkers: 3,
    projects: [
      {
        plugins: [cloudflareTest({
          wrangler: { configPath: './wrangler.toml' },
          miniflare: { bindings: { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: 'test-token', TEST_MIGRATIONS: await readD1Migrations('./migrations') } },
        })],
        // views/ has no tsconfig of its own, so the JSX runtime is said here.
        oxc: { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } },
        test: { name: 'worker', setupFiles: ['./test/worker/settle.ts'], include: ['test/worker/**/*.test.ts', 'test/worker/**/*.test.tsx'], testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS },
      },
      { test: { name: 'agent', environment: 'node', include: ['protocol/**/*.test.ts', 'agent/**/*.test.ts', 'test/agent/**/*.test.ts', 'test/*.test.ts'], testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS } },
      // Fingers, clocks and frames of a real browser between two other busy workers: one of them may miss its moment once, and the report says so. Nothing else gets a second try.
      { test: { name: 'browser', environment: 'node', retry: 1, include: ['test/browser/**/*.test.ts'], testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS } },
    ],
  },
}));

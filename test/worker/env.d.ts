// Types of what tests on workerd see: the Worker's own bindings and the migrations that vitest.config.ts hands in.
/// <reference types="@cloudflare/vitest-plugin/types" />
import type { D1Migration } from '@cloudflare/vitest-plugin';
import type { Env as WorkerEnv } from '../../worker/env.ts';

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv { TEST_MIGRATIONS: D1Migration[] }
    interface GlobalProps { mainModule: typeof import('../../worker/index.tsx') }
  }
}

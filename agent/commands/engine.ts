// The agent at work: composes files, volumes, catalog, pipeline, push and link, and decides what runs when. One scan at
// a time; previews in the background; pushing beside both. It owns no rule of any of them.
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CommandError, VERSION, reason, type AgentIdentity } from '../config.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { countDirty, hasDirty, firstInOutbox } from '../catalog/outbox.ts';
import { countSpooled } from '../catalog/spool.ts';
import { createFileAccess } from '../files/access.ts';
import { createVolumes } from '../volumes/volumes.ts';
import { agreeOnState, pushAll, type PushContext } from '../push/push.ts';
import { WorkerUnreachable, type WorkerAddress } from '../push/client.ts';
import { openLink, type Handlers, type Link } from '../link/socket.ts';
import type { AgentStatus, PresentVolume } from '../../protocol/link.ts';
import { emptyReport, REPORT_PAGE, type IndexReport } from '../../protocol/report.ts';
import { watchRoots, type RootWatcher } from './watch.ts';
import * as roots from './roots.ts';

export interface EngineOptions {
  dataDir: string;
  identity: AgentIdentity;
  worker: WorkerAddress;
  /** Keep watching folders and drives for changes. */
  watch: boolean;
  onStatus?(status: AgentStatus): void;
  warn?(line: string): void;
}

export interface Engine {
  handlers: Handlers;
  /** Adds folders (or finds the roots that already hold them); the ids to scan. Throws CommandError with what to do. */
  addFolders(paths: readonly string[]): Promise<string[]>;
  /** Scans these roots, or all, then renders and pushes everything found. */
  index(rootIds: readonly string[] | null, options?: { retry?: boolean }): Promise<IndexReport>;
  /** Scans in the background; errors become warnings. */
  scanSoon(rootIds: readonly string[] | null): void;
  status(): AgentStatus;
  close(): Promise<void>;
}

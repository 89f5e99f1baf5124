// After each test of the Worker: what it set off behind its answers ends before the next one empties the library.
import { afterEach } from 'vitest';
import { settleFeed } from './support.ts';

afterEach(settleFeed);

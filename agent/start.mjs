// The command line's first file: plain JavaScript, so that Node need not load its type stripper. What Node compiles from
// here on (types stripped) is kept, and a second start loads its modules in half the time (docs/adr/0003).
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../.build/compile-cache', import.meta.url)));
await import('./main.ts');

// A hub on the loopback that serves a model's folder and misbehaves as it is told. Named for what it is: it proves how a
// download fails and goes on, not that the real hub does as it does.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What happens to GETs of a file whose path ends so. HEADs are answered truly unless the fault says otherwise. */
export interface HubFault {
  file: string;
  /** `cut` ends the connection in the middle, `stall` sends the first half and is silent, `page` sends HTML, `refuse` is gone before an answer. */
  does: 'cut' | 'stall' | 'page' | 'refuse' | 'huge' | 'garbage' | number;
  /** How many requests; without it, all. */
  times?: number;
}

export interface BadHub {
  url: string;
  /** Of every GET: path within the model and the Range header. */
  asked: { file: string; range: string | null }[];
  setFaults(...faults: HubFault[]): void;
  /** Whether it knows versions and parts, as the real one does. */
  setRanges(on: boolean): void;
  close(): Promise<void>;
}

/** Serves `dir` as every model there is. */
export async function startBadHub(dir: string): Promise<BadHub> {
  let faults: (HubFault & { left: number })[] = [];
  let ranges = true;
  const asked: BadHub['asked'] = [];

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const file = /\/resolve\/main\/(.+)$/.exec(request.url ?? '')?.[1] ?? '';
    const path = join(dir, file);
    const range = request.headers.range ?? null;
    if (request.method === 'GET') asked.push({ file, range });
    const fault = faults.find((f) => file.endsWith(f.file) && f.left > 0 && (request.method === 'GET' || typeof f.does === 'number' || f.does === 'huge' || f.does === 'refuse'));
    if (fault) fault.left -= 1;
    if (fault?.does === 'refuse') { request.socket.destroy(); return; }
    if (typeof fault?.does === 'number') { response.writeHead(fault.does).end('no'); return; }
    if (fault?.does === 'page') { response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Sign in</html>'); return; }
    if (fault?.does === 'huge') { response.writeHead(200, { 'content-length': String(2 ** 50) }).end(); return; }
    if (file === '' || !existsSync(path)) { response.writeHead(404).end('no'); return; }
    const body = fault?.does === 'garbage' ? Buffer.from('<html>not what you asked for</html>') : readFileSync(path);
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
    const from = ranges && range !== null && request.headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0) : 0;
    const rest = body.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-type': 'application/octet-stream', 'content-length': String(rest.length),
      ...(ranges ? { etag } : {}), ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
    });
    if (request.method === 'HEAD') { response.end(); return; }
    if (fault?.does === 'cut' || fault?.does === 'stall') response.write(rest.subarray(0, Math.ceil(rest.length / 2)), () => { if (fault.does === 'cut') setTimeout(() => { response.destroy(); }, 20); });
    else response.end(rest);
  };

  const server = createServer(answer);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    setFaults: (...next) => { faults = next.map((f) => ({ ...f, left: f.times ?? Number.POSITIVE_INFINITY })); asked.length = 0; },
    setRanges: (on) => { ranges = on; },
    close: () => new Promise((resolve) => { server.close(() => { resolve(); }); server.closeAllConnections(); }),
  };
}

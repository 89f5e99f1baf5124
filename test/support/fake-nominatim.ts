// A server on loopback that speaks Nominatim's format, and misbehaves when a test tells it to. Counts what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked { at: number; path: string; query: Record<string, string>; userAgent: string }
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;
export interface FakeNominatim {
  url: string;
  asked: Asked[];
  /** The next requests are answered by these, in this order; after that as a well server does. */
  misbehave(...answers: Answer[]): void;
  /** What a well server answers. */
  answer: Answer;
  close(): Promise<void>;
}

/** An answer as a server gives it for a house in a town. */
export const HOUSE = {
  place_id: 1, licence: 'Data © OpenStreetMap contributors', lat: '44.1700100', lon: '9.6120100', category: 'building', type: 'yes', display_name: '12, Via Roma, …',
  address: { house_number: '12', road: 'Via Roma', neighbourhood: 'Borgo', suburb: 'Centro', town: 'Levanto', county: 'La Spezia', state: 'Liguria', country: 'Italy', country_code: 'it' },
  boundingbox: ['44.1699', '44.1701', '9.6119', '9.6121'],
};

export const json = (body: unknown, status = 200): Answer => (_request, response) => { response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)); };
export const raw = (body: string | Buffer): Answer => (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(body); };
export const refuse = (status: number, headers: Record<string, string> = {}): Answer => (_request, response) => { response.writeHead(status, headers).end('<html>no</html>'); };
export const hangUp: Answer = (request) => { request.socket.destroy(); };
/** Begins an answer and breaks off in the middle of it. */
export const breakOff: Answer = (_request, response) => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }); response.write('{"lat":'); setTimeout(() => response.destroy(), 10); };
/** Never ends by itself: `sent` tells how much was written until the other side left. */
export function flood(sent: { bytes: number }): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(65_536, '[');
    const write = (): void => { while (!response.destroyed) { sent.bytes += chunk.length; if (!response.write(chunk)) { response.once('drain', write); return; } } };
    write();
  };
}

/** `now` dates each request, so that a test can look at their spacing on its own clock. */
export async function startFakeNominatim(now: () => number = () => Date.now()): Promise<FakeNominatim> {
  const next: Answer[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    fake.asked.push({ at: now(), path: url.pathname, query: Object.fromEntries(url.searchParams), userAgent: request.headers['user-agent'] ?? '' });
    (next.shift() ?? fake.answer)(request, response);
  });
  const fake: FakeNominatim = {
    url: '', asked: [], answer: json(HOUSE),
    misbehave: (...answers) => { next.push(...answers); },
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(() => { done(); }); }),
  };
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

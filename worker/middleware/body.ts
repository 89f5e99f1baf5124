// Reads request bodies within a bound. Nothing in the Worker reads a body without one.
import { BadRequest, TooLarge } from '../errors.tsx';

/** The whole body, at most `maxBytes`; throws TooLarge as soon as that is passed, whatever Content-Length said. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new TooLarge(`This body is larger than ${maxBytes} bytes.`);
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge();
  if (!request.body) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) { await reader.cancel().catch(() => undefined); throw tooLarge(); }
    chunks.push(value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) { out.set(chunk, at); at += chunk.byteLength; }
  return out;
}

/** The body as JSON, at most `maxBytes`; throws TooLarge or BadRequest. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  try { return JSON.parse(new TextDecoder().decode(bytes)); } catch { throw new BadRequest('This body is not JSON.'); }
}

/** A form's fields, in their order and as often as they came, at most `maxBytes`; throws TooLarge. */
export async function readFields(request: Request, maxBytes: number): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await readBytes(request, maxBytes)));
}

/** True where the request came from a program, which is answered as it asks. */
export function isJson(request: Request): boolean { return (request.headers.get('content-type') ?? '').includes('json'); }

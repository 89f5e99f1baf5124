// The thread that decodes HEIC with libheif's WASM build. Speaks only with heic.ts; holds no state between jobs. It may be
// ended at any moment, and everything in it is thrown away then.
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';

/** What a job asks for: the embedded thumbnail where there is one, or the whole picture. Sizes are always answered. */
export interface HeicJob { id: number; want: 'thumbnail' | 'full'; bytes: Uint8Array; maxPixels: number }
export interface HeicPixels { data: Uint8Array; width: number; height: number; channels: 3 | 4 }
export type HeicReply =
  | { id: number; ok: true; width: number; height: number; pixels: HeicPixels | null; icc: Uint8Array | null; primaries: number | null }
  | { id: number; ok: false; code: 'damaged' | 'too_large'; message: string; width: number | null; height: number | null };

/** The part of the module's C interface that is used here (libheif/heif.h; structs are returned through the first pointer). */
interface Heif {
  HEAPU8: Uint8Array;
  _malloc(size: number): number; _free(at: number): void;
  _heif_context_alloc(): number; _heif_context_free(context: number): void;
  _heif_context_read_from_memory_without_copy(error: number, context: number, data: number, size: number, options: number): void;
  _heif_context_get_primary_image_handle(error: number, context: number, out: number): void;
  _heif_context_get_image_handle(error: number, context: number, id: number, out: number): void;
  _heif_context_get_list_of_top_level_image_IDs(context: number, ids: number, count: number): number;
  _heif_image_handle_get_item_id(handle: number): number;
  _heif_image_handle_get_width(handle: number): number; _heif_image_handle_get_height(handle: number): number;
  _heif_image_handle_has_alpha_channel(handle: number): number;
  _heif_image_handle_get_number_of_thumbnails(handle: number): number;
  _heif_image_handle_get_list_of_thumbnail_IDs(handle: number, ids: number, count: number): number;
  _heif_image_handle_get_thumbnail(error: number, handle: number, id: number, out: number): void;
  _heif_image_handle_release(handle: number): void;
  _heif_image_handle_get_raw_color_profile_size(handle: number): number;
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, out: number): void;
  _heif_image_handle_get_nclx_color_profile(error: number, handle: number, out: number): void;
  _heif_nclx_color_profile_free(profile: number): void;
  _heif_decode_image(error: number, handle: number, out: number, colorspace: number, chroma: number, options: number): void;
  _heif_image_get_width(image: number, channel: number): number; _heif_image_get_height(image: number, channel: number): number;
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number;
  _heif_image_release(image: number): void;
}

const COLORSPACE_RGB = 1;
const CHROMA_RGB = 10, CHROMA_RGBA = 11;
const CHANNEL_INTERLEAVED = 10;
/** A colour profile is 0.5 to 4 KB; printers' are up to a few MB. */
const MAX_ICC_BYTES = 4_000_000;
const MAX_THUMBNAILS = 16;
const MAX_TOP_LEVEL = 32;
/** heif_error_Memory_allocation_error and the security limit behind it. */
const ERROR_MEMORY = 6;
const SCRATCH_BYTES = 256;

class HeifFailure extends Error {
  readonly code: 'damaged' | 'too_large';
  constructor(code: 'damaged' | 'too_large', message: string) { super(message); this.code = code; }
}

let loaded: Heif | undefined;
function heif(): Heif {
  // libheif-js is heic-decode's own dependency: taken from there, so that exactly one copy is installed.
  loaded ??= createRequire(createRequire(import.meta.url).resolve('heic-decode'))('libheif-js/wasm-bundle') as Heif;
  return loaded;
}

function u32(h: Heif, at: number): number { return new DataView(h.HEAPU8.buffer).getUint32(at, true); }
function text(h: Heif, at: number): string {
  if (at === 0) return '';
  const end = h.HEAPU8.indexOf(0, at);
  return Buffer.from(h.HEAPU8.subarray(at, Math.min(end < 0 ? at : end, at + 200))).toString('latin1');
}
function check(h: Heif, scratch: number): void {
  const code = u32(h, scratch);
  if (code !== 0) throw new HeifFailure(code === ERROR_MEMORY ? 'too_large' : 'damaged', text(h, u32(h, scratch + 8)) || `libheif error ${code}`);
}

function decode(job: HeicJob): HeicReply {
  const h = heif();
  const scratch = h._malloc(SCRATCH_BYTES);
  const data = h._malloc(job.bytes.length);
  let context = 0, handle = 0, thumbnail = 0;
  let width: number | null = null, height: number | null = null;
  try {
    if (!scratch || !data) throw new HeifFailure('too_large', 'not enough memory for the file');
    h.HEAPU8.set(job.bytes, data);
    context = h._heif_context_alloc();
    h._heif_context_read_from_memory_without_copy(scratch, context, data, job.bytes.length, 0);
    check(h, scratch);
    handle = pictureHandle(h, context, scratch);
    width = h._heif_image_handle_get_width(handle);
    height = h._heif_image_handle_get_height(handle);
    if (width * height > job.maxPixels) throw new HeifFailure('too_large', `${width} x ${height} pixels are more than can be decoded`);
    const profile = readProfile(h, handle, scratch);
    let pixels: HeicPixels | null = null;
    if (job.want === 'full') pixels = decodeHandle(h, handle, scratch);
    else {
      thumbnail = largestThumbnail(h, handle, scratch);
      if (thumbnail !== 0) pixels = decodeHandle(h, thumbnail, scratch);
    }
    return { id: job.id, ok: true, width, height, pixels, ...profile };
  } catch (error) {
    // A trap inside the WASM leaves the module in an unknown state: the thread must end, and the pool starts another.
    if (!(error instanceof HeifFailure)) throw error;
    return { id: job.id, ok: false, code: error.code, message: error.message, width, height };
  } finally {
    if (thumbnail) h._heif_image_handle_release(thumbnail);
    if (handle) h._heif_image_handle_release(handle);
    if (context) h._heif_context_free(context);
    if (data) h._free(data);
    if (scratch) h._free(scratch);
  }
}

/** The primary picture; where a broken file names a mere part as its primary one, the first that stands for itself. */
function pictureHandle(h: Heif, context: number, scratch: number): number {
  const listed = h._heif_context_get_list_of_top_level_image_IDs(context, scratch + 32, MAX_TOP_LEVEL);
  const ids = Array.from({ length: listed }, (_, i) => u32(h, scratch + 32 + i * 4));
  h._heif_context_get_primary_image_handle(scratch, context, scratch + 16);
  if (u32(h, scratch) === 0) {
    const primary = u32(h, scratch + 16);
    if (ids.length === 0 || ids.includes(h._heif_image_handle_get_item_id(primary))) return primary;
    h._heif_image_handle_release(primary);
  }
  const first = ids[0];
  if (first !== undefined) h._heif_context_get_image_handle(scratch, context, first, scratch + 16);
  check(h, scratch);
  return u32(h, scratch + 16);
}

function largestThumbnail(h: Heif, handle: number, scratch: number): number {
  const count = Math.min(MAX_THUMBNAILS, h._heif_image_handle_get_number_of_thumbnails(handle));
  if (count < 1) return 0;
  const listed = h._heif_image_handle_get_list_of_thumbnail_IDs(handle, scratch + 32, count);
  let best = 0, bestHeight = 0;
  for (let i = 0; i < listed; i++) {
    h._heif_image_handle_get_thumbnail(scratch, handle, u32(h, scratch + 32 + i * 4), scratch + 20);
    if (u32(h, scratch) !== 0) continue;
    const candidate = u32(h, scratch + 20);
    const height = h._heif_image_handle_get_height(candidate);
    if (height > bestHeight) { if (best) h._heif_image_handle_release(best); best = candidate; bestHeight = height; } else h._heif_image_handle_release(candidate);
  }
  return best;
}

function readProfile(h: Heif, handle: number, scratch: number): { icc: Uint8Array | null; primaries: number | null } {
  const size = h._heif_image_handle_get_raw_color_profile_size(handle);
  if (size > 128 && size < MAX_ICC_BYTES) {
    const at = h._malloc(size);
    if (at) {
      h._heif_image_handle_get_raw_color_profile(scratch, handle, at);
      const icc = u32(h, scratch) === 0 ? h.HEAPU8.slice(at, at + size) : null;
      h._free(at);
      if (icc) return { icc, primaries: null };
    }
  }
  h._heif_image_handle_get_nclx_color_profile(scratch, handle, scratch + 24);
  if (u32(h, scratch) !== 0) return { icc: null, primaries: null };
  const nclx = u32(h, scratch + 24);
  // struct heif_color_profile_nclx: a version byte, then the enum of the primaries at offset 4.
  const primaries = nclx ? u32(h, nclx + 4) : null;
  if (nclx) h._heif_nclx_color_profile_free(nclx);
  return { icc: null, primaries };
}

function decodeHandle(h: Heif, handle: number, scratch: number): HeicPixels {
  const channels = h._heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
  h._heif_decode_image(scratch, handle, scratch + 28, COLORSPACE_RGB, channels === 4 ? CHROMA_RGBA : CHROMA_RGB, 0);
  check(h, scratch);
  const image = u32(h, scratch + 28);
  try {
    const width = h._heif_image_get_width(image, CHANNEL_INTERLEAVED);
    const height = h._heif_image_get_height(image, CHANNEL_INTERLEAVED);
    const plane = h._heif_image_get_plane_readonly(image, CHANNEL_INTERLEAVED, scratch + 12);
    const stride = u32(h, scratch + 12);
    if (!plane || width < 1 || height < 1) throw new HeifFailure('damaged', 'the picture has no pixels');
    const row = width * channels;
    const data = new Uint8Array(row * height);
    if (stride === row) data.set(h.HEAPU8.subarray(plane, plane + row * height));
    else for (let y = 0; y < height; y++) data.set(h.HEAPU8.subarray(plane + y * stride, plane + y * stride + row), y * row);
    return { data, width, height, channels };
  } finally { h._heif_image_release(image); }
}

parentPort?.on('message', (job: HeicJob) => {
  const reply = decode(job);
  const moved = reply.ok && reply.pixels ? [reply.pixels.data.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(reply, moved);
});

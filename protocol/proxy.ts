// How a proxy comes to the Worker: in one request, or as an upload of equal parts that can go on after a crash of either side.
import * as z from 'zod';
import { MAX_PROXY_BYTES, MAX_PROXY_PARTS } from './limits.ts';
import { Sha256 } from './words.ts';

/** How the problem of a video begins of which no proxy can be made. */
export const NO_PROXY = 'no small video can be made of it';

/** The proxy is in the store: put there now, or found there. Its size is what the asset's row then says. */
export const ProxyStored = z.object({ stored: z.literal(true), size_bytes: z.int().positive() });
export type ProxyStored = z.infer<typeof ProxyStored>;

/** `POST /sync/proxies/{sha256}/{version}/uploads`. `sha256` is of the whole proxy. */
export const UploadStart = z.object({ size_bytes: z.int().positive().max(MAX_PROXY_BYTES), sha256: Sha256 });
export type UploadStart = z.infer<typeof UploadStart>;

/** Where to put the parts; or the proxy is there already. */
export const UploadStarted = z.union([z.object({ upload_id: z.string().min(1).max(2_000) }), ProxyStored]);
export type UploadStarted = z.infer<typeof UploadStarted>;

/** R2's receipt for a part, named again when the upload is completed. */
export const PartStored = z.object({ etag: z.string().min(1).max(200) });
export type PartStored = z.infer<typeof PartStored>;

/** `POST …/uploads/complete`: every part's receipt in order, the first part's first. */
export const UploadComplete = UploadStart.extend({ upload_id: z.string().min(1).max(2_000), etags: z.array(z.string().min(1).max(200)).min(1).max(MAX_PROXY_PARTS) });
export type UploadComplete = z.infer<typeof UploadComplete>;

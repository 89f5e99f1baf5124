// Every bound that agent and Worker must agree on, each with its reason. No code.

/** What this build speaks. A Worker answers 409 to a newer one, naming what it speaks. */
export const PROTOCOL_VERSION = 1;

/** One batch of rows, as UTF-8 JSON. D1 takes 100 KB of SQL but 2 MB in one bound parameter; 1 MB leaves room. */
export const MAX_BATCH_BYTES = 1_000_000;
/** Rows in one batch: keeps one ingest under a second of Worker time. */
export const MAX_BATCH_ROWS = 4_000;
/** One pack of renditions: far below the edge's 100 MB body limit, and small enough to resend on a bad line. */
export const MAX_PACK_BYTES = 8_000_000;
export const MAX_PACK_ITEMS = 500;
/** One rendition. A 1600 px WebP is 0.05 to 0.6 MB; above this something is wrong. */
export const MAX_RENDITION_BYTES = 6_000_000;

/** More than both of these vanishing from one volume at once stops a scan and asks the owner (promise 2). */
export const VANISH_ASK_FILES = 20;
export const VANISH_ASK_SHARE = 0.01;

/** Presence is a lease: the agent renews it this often, and it runs out after PRESENCE_LEASE_MS. */
export const PRESENCE_RENEW_MS = 10_000;
export const PRESENCE_LEASE_MS = 30_000;
/** How long the Worker waits for the agent's answer to a page's request. */
export const LINK_REQUEST_TIMEOUT_MS = 10_000;
/** How long a search waits for the agent: for the embedding of its words, or for a Qdrant that only the agent reaches. */
export const SEARCH_ASK_TIMEOUT_MS = 1_500;
/** One frame on the link's socket. */
export const MAX_FRAME_BYTES = 1_000_000;

/** Longest path, in UTF-16 units, that a location may have: Linux's PATH_MAX. */
export const MAX_PATH_LENGTH = 4_096;
/** Longest title that the owner may give an album, in UTF-16 units. */
export const MAX_ALBUM_TITLE_LENGTH = 200;
/** Tiles in one piece of the timeline: 114 KB of HTML for 1,000, so 200 is some 23 KB before compression. */
export const PIECE_TILES = 200;
/** So many tiles before the one a reader comes back to are shown with it, so that it does not stand at the very top. */
export const NEAR_TILES = 40;
/** Rows in one page of a plain list (problems, list --json). */
export const PAGE_ROWS = 200;
export const LIST_PAGE_ROWS = 1_000;

/** Grid rendition: rows of 220 CSS px at 2x; very wide ones are capped. */
export const GRID_HEIGHT_PX = 440;
export const GRID_MAX_WIDTH_PX = 1_320;
/** Preview rendition: long side. */
export const PREVIEW_LONG_PX = 1_600;
export const RENDITION_QUALITY = 80;
/** WebP effort 2: 108 ms and 151 KB against 203 ms and 144 KB at 4, for a 12 MP JPEG (PLATFORM.md). */
export const RENDITION_EFFORT = 2;

/** Proxy of a video: short side at most; no video is enlarged. */
export const PROXY_SHORT_PX = 480;
/**
 * One proxy. At the full rate (a minute is 6 MB at most) it holds three hours; longer films get a lower rate, so that no
 * recording fills the owner's bucket by itself.
 */
export const MAX_PROXY_BYTES = 1_000_000_000;
/** Parts of a large proxy, all but the last of exactly this size: R2 wants equal parts of 5 MiB or more, and the Worker holds one in memory. A proxy of at most one part goes in one request. */
export const PROXY_PART_BYTES = 8 * 1024 * 1024;
export const MAX_PROXY_PARTS = Math.ceil(MAX_PROXY_BYTES / PROXY_PART_BYTES);

/** Parts of originals on their way to a browser, all but the last of exactly this size. The Worker holds MAX_HELD_PARTS of a transfer in memory, the agent two. */
export const TRANSFER_PART_BYTES = 4 * 1024 * 1024;
export const MAX_HELD_PARTS = 2;
/** So long at most the Worker holds back its answer to a part while there is no room for the next: below what proxies and clients wait for. */
export const TRANSFER_WAIT_MS = 20_000;

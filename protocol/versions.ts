// The version of each stage that makes derived data. Raise one and that facet alone is made again.

/** Facts: metadata, sizes, colour; and what sidecars say (2: they are read). */
export const FACTS_VERSION = 2;

/**
 * Renditions are immutable, so a better one needs a new version. A grid may first be made from the picture that a
 * camera embedded (quick, soft) and later from the full picture: the draft is odd, the final even and higher.
 */
export const GRID_DRAFT_VERSION = 1;
export const GRID_VERSION = 2;
export const PREVIEW_VERSION = 2;

/** The small MP4 of a video, or of a motion photo's video. */
export const PROXY_VERSION = 1;

/** What a picture looks like, and by which rules looks are compared. */
export const LOOK_VERSION = 1;
export const NEAR_VERSION = 1;

/** How pictures and words are made ready for the models of the search (sizes, prompts, spelling). */
export const VECTOR_PREPROCESSING = 1;

/** How good a place's names are: a stub has 0, a higher rank replaces a lower one. Raise the first when its tables change. */
export const PLACE_RANK_OFFLINE = 1;
export const PLACE_RANK_NOMINATIM = 100;

/** The shape of the agent's catalog and data folder. A folder from a newer version is refused, not read. */
export const DATA_VERSION = 1;

/** The software's own, as `/healthz` says it; a test holds it to package.json. */
export const SOFTWARE_VERSION = '0.4.0';

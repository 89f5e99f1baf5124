// What lies in an album: put in by an export or by the owner, and not taken out by the owner. SQL for whoever reads albums.

/** Condition over a row `m` of album_assets; an asset of both layers has two such rows. */
export const isMember = (m: string): string => `${m}.layer <> 'left' AND NOT EXISTS (SELECT 1 FROM album_assets l WHERE l.album_id = ${m}.album_id AND l.sha256 = ${m}.sha256 AND l.layer = 'left')`;
/** The owner's word about an asset in an album, put in or taken out: condition over a row `m` of album_assets. */
export const ofOwner = (m: string): string => `${m}.layer IN ('owner', 'left')`;
/** What a row `b` of albums is called, and whether it is shown. */
export const titleOf = (b: string): string => `coalesce(${b}.owner_title, ${b}.title)`;
export const isShown = (b: string): string => `${b}.removed_at_ms IS NULL`;

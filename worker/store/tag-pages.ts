// Tags as pages show them: each with how many carry it, in the order of names. Reads only.

export interface TagCount { tag: string; count: number }

export const TAG_COUNTS_SQL = 'SELECT tag, count(*) AS count FROM asset_tags g WHERE tag > ?1 GROUP BY tag ORDER BY tag LIMIT ?2';

/** Tags after a name, at most `limit`. Members of stacks count alone. */
export async function listTags(db: D1Database, after: string, limit: number): Promise<TagCount[]> {
  return (await db.prepare(TAG_COUNTS_SQL).bind(after, limit).all<TagCount>()).results;
}

// What resolving reads and writes: the columns of timeline_items, and the condition under which a write still holds.

export const ITEM_COLUMNS = [
  'asset_id', 'sha256', 'kind', 'width', 'height', 'ratio', 'duration_ms', 'color', 'grid_version', 'preview_version', 'taken_at', 'taken_at_source',
  'doubtful', 'utc_offset_minutes', 'utc_offset_source', 'time_basis', 'sort_ms', 'month', 'day', 'shown',
  'latitude', 'longitude', 'position_source', 'cell', 'description', 'description_source', 'favourite', 'archived', 'rating', 'people', 'tags', 'albums',
  'proxy_version', 'stack_type', 'primary_sha256', 'members', 'live_sha256', 'live_proxy_version', 'square',
] as const;

/** SQL: the marks (`?2`, JSON list of tokens) that were read before the facts are still all there are. */
export const STILL = '(SELECT json_group_array(token ORDER BY token) FROM unresolved) = ?2';

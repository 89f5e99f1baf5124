// Where the reader is in a grid, kept with the entry of the history: reload and back return to it.
import type { Anchor, GridCore } from './core.ts';

interface Kept { of: string; anchor: Anchor | null }

/** What the history keeps for this grid: an anchor, or null for the very top; undefined where the reader has not been here. */
export function keptPlace(of: string): Anchor | null | undefined {
  const kept = (history.state as { grid?: Kept } | null)?.grid;
  return kept && kept.of === of ? kept.anchor : undefined;
}

export function keepPlace(grid: GridCore): void {
  // While the viewer lies over the grid, the entry of the history is the viewer's.
  if (!grid.whole || location.pathname.startsWith('/a/') || document.querySelector('dialog.viewer[open]')) return;
  const kept: Kept = { of: grid.of, anchor: grid.anchor() ?? null };
  const state = (history.state ?? {}) as { grid?: Kept };
  if (JSON.stringify(state.grid) !== JSON.stringify(kept)) history.replaceState({ ...state, grid: kept }, '');
}

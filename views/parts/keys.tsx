// The list of keys, for the help and the settings page. views/client/ makes them work.

const KEYS: [keys: string[], what: string][] = [
  [['←', '→'], 'In the viewer: the newer, the older one'],
  [['Esc'], 'Back to the timeline, at the same place'],
  [['/'], 'Search'],
  [['i'], 'Facts about the photo, or none'],
  [['l'], 'In the viewer: more like this one'],
  [['f'], 'Favourite, or no longer: the photo, or all that are selected'],
  [['e'], 'Into the archive, or back'],
  [['a'], 'Add to an album'],
  [['d'], 'Download'],
  [['s'], 'In the viewer: slideshow; space pauses it'],
  [['+', '−', '0'], 'In the viewer: nearer, farther, all of it'],
  [['x'], 'In a grid: select the photo, or no longer'],
  [['Shift', '←', '→', '↑', '↓'], 'In a grid: select on in that direction'],
  [['Ctrl', 'A'], 'In a grid: select all of it; Esc clears'],
  [['Ctrl', 'Z'], 'Undo what was just done'],
  [['Home'], 'In the timeline: to the newest'],
  [['?'], 'This list'],
];

export function Keys() {
  return <dl class="keys">{KEYS.map(([keys, what]) => <><dt>{keys.map((key) => <kbd>{key}</kbd>)}</dt><dd>{what}</dd></>)}</dl>;
}

// The list of keys, for the help and the settings page. views/client/ makes them work.

const KEYS: [keys: string[], what: string][] = [
  [['←', '→'], 'In the viewer: the newer, the older one'],
  [['Esc'], 'Back to the timeline, at the same place'],
  [['/'], 'Search'],
  [['i'], 'Facts about the photo, or none'],
  [['l'], 'In the viewer: more like this one'],
  [['←', '↑', '→', '↓'], 'From photo to photo, once one has the focus'],
  [['Home', 'End'], 'To the beginning, to the end'],
  [['+', '−'], 'Larger, smaller pictures'],
  [['?'], 'This list'],
];

export function Keys() {
  return <dl class="keys">{KEYS.map(([keys, what]) => <><dt>{keys.map((key) => <kbd>{key}</kbd>)}</dt><dd>{what}</dd></>)}</dl>;
}

// The list of keys, for the help and the settings page. views/client/ makes them work.

type Key = [keys: string[], what: string];
const KEYS: [where: string, keys: Key[]][] = [
  ['Everywhere', [
    [['/'], 'Search'],
    [['?'], 'This list'],
    [['Esc'], 'Back, to the same place; or select nothing'],
    [['Ctrl', 'Z'], 'Undo what was just done'],
  ]],
  ['Among photos', [
    [['←', '↑', '→', '↓'], 'From photo to photo, once one has the focus'],
    [['Home', 'End'], 'To the newest, to the oldest'],
    [['PgUp', 'PgDn'], 'A screen up, a screen down'],
    [['+', '−', '0'], 'Larger, smaller, as they were'],
    [['x'], 'Select the photo in focus, or no longer'],
    [['Shift', '→'], 'Select on in that direction'],
    [['Ctrl', 'A'], 'Select all of it'],
  ]],
  ['In the viewer', [
    [['←', '→'], 'The newer, the older one'],
    [['+', '−', '0'], 'Zoom in, out, and to fit'],
    [['i'], 'Facts about the photo, or none'],
    [['l'], 'More like this one'],
    [['s'], 'Slideshow; space pauses it'],
  ]],
  ['With what is selected, or the photo that is open', [
    [['f'], 'Favourite, or no longer'],
    [['e'], 'Into the archive, or back'],
    [['a'], 'Add to an album'],
    [['d'], 'Download'],
    [['Del'], 'To the trash, after a question'],
  ]],
];

export function Keys() {
  return (
    <div class="keys">
      {KEYS.map(([where, keys]) => (
        <section>
          <h3>{where}</h3>
          <dl>{keys.map(([names, what]) => <><dt>{names.map((key) => <kbd>{key}</kbd>)}</dt><dd>{what}</dd></>)}</dl>
        </section>
      ))}
    </div>
  );
}

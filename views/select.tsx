// What is done to a selection: the bar at the foot of a grid, and the forms for the time and the place of many. All of it is
// hidden until views/client/ shows it.
import type { Child } from 'hono/jsx';
import { Icon, type IconName } from './parts/icon.tsx';

export function Doing() {
  return (
    <>
      <p id="doing-said" class="hidden-text" role="status"></p>
      <section id="doing" class="doing" aria-label="What is selected" hidden>
        <span id="doing-count" class="doing-count num"></span>
        <Do what="favourite" icon="heart" keys="f">Favourite</Do>
        <Do what="album" icon="album" keys="a">Add to album</Do>
        <Do what="archive" icon="archive" keys="e" late>Archive</Do>
        <Do what="download" icon="download" keys="d" late>Download</Do>
        <Do what="trash" icon="trash" keys="Delete" late>Trash</Do>
        <button class="doing-button" type="button" popovertarget="doing-more" aria-label="More to do" title="More"><Icon name="more" /></button>
        <div id="doing-more" class="doing-more" popover="auto">
          <Do what="archive" icon="archive" early>Archive</Do>
          <Do what="download" icon="download" early>Download</Do>
          <Do what="export" icon="folder">Export to a folder</Do>
          <Do what="copy" icon="drive">Copy to a drive</Do>
          <Do what="time" icon="clock">Correct the time</Do>
          <Do what="place" icon="place">Correct the place</Do>
          <Do what="trash" icon="trash" early>Trash</Do>
          <Do what="leave" icon="close">Remove from this album</Do>
        </div>
        <i class="doing-line"></i>
        <button class="doing-button" type="button" data-do="clear" aria-label="Clear the selection" title="Clear (Esc)"><Icon name="close" /></button>
      </section>
      <Sheet name="time" title="Correct the time" main="Save">
        <fieldset class="choices">
          <legend class="hidden-text">How</legend>
          <label><input type="radio" name="how" value="move" checked /><span>Move each by the same</span></label>
          <div class="doing-fields doing-move">
            <label class="field"><span>Days</span><input type="text" inputmode="numeric" name="days" autocomplete="off" /></label>
            <label class="field"><span>Hours</span><input type="text" inputmode="numeric" name="hours" autocomplete="off" /></label>
            <label class="field"><span>Minutes</span><input type="text" inputmode="numeric" name="minutes" autocomplete="off" /></label>
            <label class="field"><span class="hidden-text">Which way</span><select name="sign"><option value="later">later</option><option value="earlier">earlier</option></select></label>
          </div>
          <label><input type="radio" name="how" value="set" /><span>Give all the same time</span></label>
          <div class="doing-fields doing-set">
            <label class="field"><span>Date</span><input type="date" name="date" min="0001-01-01" max="9999-12-31" /></label>
            <label class="field"><span>Time</span><input type="time" name="time" step={1} /></label>
          </div>
        </fieldset>
      </Sheet>
      <Sheet name="place" title="Correct the place" main="Save" other="They have no place">
        <label class="field">
          <span>Position, as copied from a map</span>
          <input type="text" name="position" placeholder="44.17, 9.61" autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
      </Sheet>
    </>
  );
}

/** `late`: on a phone it stands behind the button for more, where `early` puts it. */
function Do(props: { what: string; icon: IconName; keys?: string; late?: boolean; early?: boolean; children: string }) {
  const { what, keys } = props;
  return (
    <button class={`doing-button${props.late ? ' doing-late' : ''}${props.early ? ' doing-early' : ''}`} type="button" data-do={what} aria-keyshortcuts={keys} title={keys && `${props.children} (${keys})`}>
      <Icon name={props.icon} /><span class="doing-word">{props.children}</span>
    </button>
  );
}

/** A template, so that no form lies in the page before it is asked for. */
function Sheet(props: { name: string; title: string; main: string; other?: string; children: Child }) {
  const id = `doing-${props.name}`;
  return (
    <template id={id}>
      <dialog class="sheet doing-sheet" aria-labelledby={`${id}-title`}>
        <div class="sheet-head">
          <h2 id={`${id}-title`}>{props.title}</h2>
          <form method="dialog"><button class="icon-button" aria-label="Close"><Icon name="close" /></button></form>
        </div>
        <p class="small doing-for"></p>
        <form class="form" method="dialog" novalidate>
          {props.children}
          <p class="error small doing-wrong" role="alert"></p>
          <div class="buttons">
            <button class="button button-main" type="submit" value="save">{props.main}</button>
            {props.other && <button class="button" type="submit" value="none">{props.other}</button>}
          </div>
        </form>
      </dialog>
    </template>
  );
}

// Settings: the home zone, where things live, the keys.
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Keys } from './parts/keys.tsx';
import { sayCount, sayNumber } from './parts/words.ts';

export interface SettingsFacts { homeZone: string; zones: string[]; version: string; folders: number; drives: number; assets: number }

export function SettingsPage(props: { frame: FrameFacts; settings: SettingsFacts; said?: string; wrong?: string }) {
  const { settings } = props;
  return (
    <Page frame={props.frame} title="Settings" section="settings">
      <div class="page">
        <h1>Settings</h1>
        <Said text={props.said} /><Said text={props.wrong} wrong />
        <form class="section form" method="post" action="/settings/home-zone">
          <h2>Home time zone</h2>
          <label class="field">
            <span>Some files give their time in UTC and nothing else. They are read in this zone, and marked as a guess.</span>
            {settings.zones.length > 0
              ? <select name="home_zone">{settings.zones.map((zone) => <option value={zone} selected={zone === settings.homeZone}>{zone.replaceAll('_', ' ')}</option>)}</select>
              : <input type="text" name="home_zone" value={settings.homeZone} placeholder="Europe/Zurich" autocomplete="off" />}
          </label>
          <div class="buttons"><button class="button" type="submit">Save</button></div>
        </form>
        <div class="section">
          <h2>Library</h2>
          <dl class="plain-facts">
            <dt>Photos and videos</dt><dd class="num">{sayNumber(settings.assets)}</dd>
            <dt>Folders</dt><dd>{sayCount(settings.folders, 'folder')} on {sayCount(settings.drives, 'drive')}. <a href="/drives">Change them</a></dd>
            <dt>What was read</dt><dd><a href="/progress">The last scans and their numbers</a></dd>
            <dt>Version</dt><dd class="num">{settings.version}</dd>
          </dl>
        </div>
        <div class="section">
          <h2>Where things live</h2>
          <p class="lead">Your originals stay on their drives, and nothing there is written, moved or renamed. Jharokha keeps small pictures of them, the facts inside them, and what you add yourself, in its data folder on this computer (<code>~/.jharokha</code>, unless you started it with <code>--data</code>). Deleting that folder deletes the library, and not one original.</p>
        </div>
        <div class="section" id="keys"><h2>Keyboard</h2><Keys /></div>
      </div>
    </Page>
  );
}

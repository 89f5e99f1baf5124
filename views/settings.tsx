// Settings: the home zone, what the agent does on the Mac, where things live, the keys.
import type { AgentOptions } from '../protocol/link.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Keys } from './parts/keys.tsx';
import { sayCount, sayNumber } from './parts/words.ts';

export interface SettingsFacts { homeZone: string; zones: string[]; version: string; folders: number; drives: number; assets: number; mac: MacFacts }
/** What the agent does; `options` is null while it cannot be asked, and then `why` says so. What was typed stands in them when it is refused. */
export interface MacFacts { options: Omit<AgentOptions, 'search_model' | 'model_dir'> | null; why?: string | undefined; wrong?: string | undefined }

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
        <OnTheMac mac={settings.mac} />
        <div class="section">
          <h2>Library</h2>
          <dl class="plain-facts">
            <dt>Photos and videos</dt><dd class="num">{sayNumber(settings.assets)}</dd>
            <dt>Folders</dt><dd>{sayCount(settings.folders, 'folder')} on {sayCount(settings.drives, 'drive')}. <a href="/drives">Change them</a></dd>
            <dt>What you changed</dt><dd><a href="/edits">Changes, with their way back</a></dd>
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

function OnTheMac(props: { mac: MacFacts }) {
  const { options } = props.mac;
  if (!options) return <div class="section"><h2>On the Mac</h2><p class="lead">{props.mac.why}</p></div>;
  return (
    <form class="section form form-wide" id="mac" method="post" action="/settings/mac">
      <h2>On the Mac</h2>
      <label class="check"><input type="checkbox" name="proxies" value="on" checked={options.proxies} /><span>Make small versions of videos<p class="small">So that videos and Live Photos play with their drive away. Some 5 MB a minute of video, kept beside the small pictures.</p></span></label>
      <fieldset class="checks">
        <legend class="small">Names of places</legend>
        <label class="check"><input type="radio" name="geocoder" value="offline" checked={options.geocoder === 'offline'} /><span>From tables on this computer<p class="small">City, region and country. Nothing leaves the computer.</p></span></label>
        <label class="check"><input type="radio" name="geocoder" value="nominatim" checked={options.geocoder === 'nominatim'} /><span>From a Nominatim server<p class="small">Streets and neighbourhoods too. For each place once, its position on a grid of some 100 metres is sent to that server, one a second at most, and its answer is kept for good. No photo, name or time is sent.</p></span></label>
      </fieldset>
      <label class="field"><span>Address of your own Nominatim server; empty for the public one of OpenStreetMap</span><input type="text" inputmode="url" name="nominatim_url" value={options.nominatim_url ?? ''} placeholder="http://192.168.1.20:8080" autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
      {props.mac.wrong && <p class="error small" role="alert">{props.mac.wrong}</p>}
      <div class="buttons"><button class="button" type="submit">Save</button></div>
    </form>
  );
}

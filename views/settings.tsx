// Settings: the home zone, what the agent does on the Mac, where things live, the keys.
import type { AgentOptions, SearchStatus } from '../protocol/link.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Keys } from './parts/keys.tsx';
import { sayEngineName, sayLookedAt, sayModelState } from './parts/search-words.ts';
import { sayCount, sayNumber, showName } from './parts/words.ts';

export interface SettingsFacts { homeZone: string; zones: string[]; version: string; folders: number; drives: number; assets: number; mac: MacFacts; search: SearchSettings; map: MapSettings }
/** Where the map's tiles come from; `own` is what was typed, and `wrong` why it cannot be. */
export interface MapSettings { kind: 'none' | 'osm' | 'own'; own: string; wrong?: string | undefined }
/** What the agent does; `options` is null while it cannot be asked, and then `why` says so. What was typed stands in them when it is refused. */
export interface MacFacts { options: Omit<AgentOptions, 'search_model' | 'model_dir'> | null; why?: string | undefined; wrong?: string | undefined }
/** The search by meaning; `options` is null while the agent cannot be asked, and then `why` says so. */
export interface SearchSettings {
  options: Pick<AgentOptions, 'search_model' | 'model_dir'> | null; why?: string | undefined; wrong?: string | undefined;
  status: SearchStatus | undefined; pendingVectors: number | null; history: boolean;
}

const PROFILES: [profile: AgentOptions['search_model'], name: string, about: string][] = [
  ['standard', 'Standard', 'SigLIP 2. Finds best, and understands Hindi, Japanese and many more languages beside English. Some 415 MB are downloaded once.'],
  ['light', 'Light', 'CLIP. English alone, and less sure of itself, but some three times as quick to look at photos. Some 154 MB are downloaded once.'],
  ['off', 'Off', 'Only words, dates, places and names are searched. Nothing is downloaded.'],
];

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
        <SearchByMeaning search={settings.search} assets={settings.assets} />
        <MapTiles map={settings.map} />
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
        <div class="section needs-script" id="kept">
          <h2>Without network</h2>
          <p class="lead">This browser keeps the pages and small pictures that you looked at last, so that Jharokha opens while its computer is off. They stay in this browser alone. Forget them on a computer that is not yours.</p>
          <p class="small after" id="kept-said" role="status"></p>
          <div class="buttons after"><button class="button" id="forget-kept" type="button">Forget what is kept</button></div>
        </div>
        <div class="section" id="keys"><h2>Keyboard</h2><Keys /></div>
      </div>
    </Page>
  );
}

function SearchByMeaning(props: { search: SearchSettings; assets: number }) {
  const { options, status, why, wrong } = props.search;
  return (
    <div class="section" id="search-model">
      <h2>Search</h2>
      {options ? (
        <form class="form form-wide" method="post" action="/settings/search">
          <fieldset class="checks">
            <legend class="small">To find “red saree” or “cricket under lights”, a model looks at small versions of your photos, on this computer. No photo leaves it.</legend>
            {PROFILES.map(([profile, name, about]) => <label class="check"><input type="radio" name="search_model" value={profile} checked={profile === options.search_model} /><span>{name}<p class="small">{about}</p></span></label>)}
          </fieldset>
          {wrong && <p class="error small" role="alert">{wrong}</p>}
          <div class="buttons"><button class="button" type="submit">Save</button></div>
        </form>
      ) : <p class="lead">{why}</p>}
      {options && (
        <dl class="plain-facts after">
          <dt>Model</dt>
          <dd class="num">{sayModelState(status)}{status?.message && <p class="small"><bdi>{showName(status.message)}</bdi></p>}</dd>
          {status && status.state !== 'off' && <><dt>Looked at</dt><dd class="num">{sayLookedAt(props.assets, props.search.pendingVectors)}</dd></>}
          {status && <><dt>Kept and compared by</dt><dd>{sayEngineName(status.engine)}</dd></>}
          <dt>Model’s files</dt><dd>{options.model_dir === null ? 'In Jharokha’s data folder' : <>In your own folder <bdi class="path">{showName(options.model_dir)}</bdi></>}</dd>
          {status?.space && <><dt>Vectors</dt><dd class="small"><bdi>{showName(status.space)}</bdi></dd></>}
        </dl>
      )}
      {props.search.history && <form class="after" method="post" action="/search/forget"><input type="hidden" name="back" value="settings" /><button class="button" type="submit">Forget recent searches</button></form>}
    </div>
  );
}

function MapTiles(props: { map: MapSettings }) {
  const { kind, own, wrong } = props.map;
  return (
    <form class="section form form-wide" id="map-tiles" method="post" action="/settings/map">
      <h2>Map</h2>
      <fieldset class="checks">
        <legend class="small">What lies under your photos on the map</legend>
        <label class="check"><input type="radio" name="tiles" value="none" checked={kind === 'none'} /><span>Countries and coasts<p class="small">Kept here, and shown without the internet. Nobody learns what you look at.</p></span></label>
        <label class="check"><input type="radio" name="tiles" value="osm" checked={kind === 'osm'} /><span>OpenStreetMap<p class="small">Streets and names too. While you look at the map your browser asks that server for the places in view, so it learns where you look. No photo, name or time is sent.</p></span></label>
        <label class="check"><input type="radio" name="tiles" value="own" checked={kind === 'own'} /><span>A server of your choice<p class="small">The same, from the address below.</p></span></label>
      </fieldset>
      <label class="field"><span>Address of its tiles, with {'{z}'}, {'{x}'} and {'{y}'}</span><input type="text" inputmode="url" name="tile_url" value={own} placeholder="https://tiles.example.org/{z}/{x}/{y}.png" autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
      {wrong && <p class="error small" role="alert">{wrong}</p>}
      <div class="buttons"><button class="button" type="submit">Save</button></div>
    </form>
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

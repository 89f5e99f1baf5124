// Folders: the first page, adding one by name or by looking, excludes, and taking one out of the library.
import type { PresentVolume } from '../protocol/link.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { hx } from './parts/hx.ts';
import { Icon, Mark } from './parts/icon.tsx';
import { idPath, sayBytes, sayProgress, showName } from './parts/words.ts';

export interface Offer { volumes: PresentVolume[]; suggestions: { path: string; label: string; why: string }[] }
export interface Browse { path: string; parent: string | null; folders: { name: string; path: string }[] }
/** What adding a folder needs to show. `offer` is null while the agent is away. */
export interface AddFacts { offer: Offer | null; browse: Browse | null; path: string; wrong?: string }

/** Folders that are listed inside one; more than these are reached by typing. */
const MAX_FOLDERS_SHOWN = 500;

/** The first page of all: no folder, no photo. */
export function StartPage(props: { frame: FrameFacts; add: AddFacts }) {
  return (
    <Page frame={props.frame} title="Welcome" section="photos">
      <div class="start">
        <div class="start-mark"><Mark /></div>
        <h1>Where are your photos?</h1>
        <p class="lead">Choose a folder or a drive. Jharokha reads what is there and leaves every file where it is: nothing is moved, copied or changed. Afterwards you can look at all of it with the drives in a drawer.</p>
        <AddFolder add={props.add} />
      </div>
    </Page>
  );
}

/** There are folders, and nothing to show yet. */
export function WaitingPage(props: { frame: FrameFacts; folders: { path: string; label: string }[] }) {
  const progress = sayProgress(props.frame.status);
  return (
    <Page frame={props.frame} title="Photos" section="photos">
      <div class="start" data-waiting>
        <div class="start-mark"><Mark /></div>
        <h1>{progress ? 'Reading your photos' : props.frame.agentAway ? 'The agent is away' : 'Nothing to show yet'}</h1>
        <div id="waiting" {...hx({ get: '/progress?part=waiting', trigger: 'live-status from:body', swap: 'innerHTML' })}><Waiting frame={props.frame} /></div>
        <ul class="rows section">{props.folders.map((folder) => <li class="folder"><span class="folder-name"><Icon name="folder" small /><span class="path"><bdi>{showName(folder.path) || 'The whole drive'}</bdi> <span class="small">on <bdi>{folder.label}</bdi></span></span></span></li>)}</ul>
        <p class="section buttons"><a class="button" href="/folders/add">Add another folder</a><a class="button button-plain" href="/progress">What was read</a></p>
      </div>
    </Page>
  );
}

/** Fragment: the sentence and the bar of the waiting page. */
export function Waiting(props: { frame: Pick<FrameFacts, 'status' | 'agentAway'> }) {
  const progress = sayProgress(props.frame.status);
  if (progress) {
    return (
      <>
        <p class="lead num">{progress.text}. The first ones appear here by themselves.</p>
        {progress.share !== null && <div class="busy" aria-hidden="true"><i style={`--p:${Math.min(1, progress.share).toFixed(3)}`}></i></div>}
      </>
    );
  }
  if (props.frame.agentAway) return <p class="lead">Nothing has been read yet, and the program that reads is not running. Start Jharokha on the computer that has the photos.</p>;
  return <p class="lead">No photo or video was found in your folders so far.</p>;
}

export function AddFolderPage(props: { frame: FrameFacts; add: AddFacts }) {
  return (
    <Page frame={props.frame} title="Add a folder" section="drives">
      <div class="page">
        <a class="back" href="/drives"><Icon name="left" small />Drives</a>
        <h1>Add a folder</h1>
        <p class="lead">Everything inside it is read where it lies. Nothing is moved, copied or changed.</p>
        <AddFolder add={props.add} />
      </div>
    </Page>
  );
}

function AddFolder(props: { add: AddFacts }) {
  const { offer } = props.add;
  if (!offer) {
    return (
      <>
        <Said text={props.add.wrong} wrong />
        <p class="said">The agent, the program that reads your photos, is not running. Start Jharokha on the computer that has them; this page then shows its drives.</p>
      </>
    );
  }
  return (
    <>
      <Said text={props.add.wrong} wrong />
      {offer.suggestions.length > 0 && (
        <div class="section">
          <h2>Worth a look</h2>
          <ul class="rows">
            {offer.suggestions.map((suggestion) => (
              <li class="offer">
                <Icon name="folder" />
                <div><bdi>{suggestion.label}</bdi><p class="small"><bdi>{suggestion.path}</bdi>{suggestion.why && ` · ${suggestion.why}`}</p></div>
                <AddButton path={suggestion.path} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {offer.volumes.length > 0 && (
        <div class="section">
          <h2>Drives connected now</h2>
          <ul class="rows">
            {offer.volumes.map((volume) => (
              <li class="offer">
                <Icon name="drive" />
                <div><bdi>{volume.label}</bdi><p class="small"><bdi>{volume.mount_point}</bdi>{volume.free_bytes !== null && volume.capacity_bytes !== null && ` · ${sayBytes(volume.capacity_bytes)}`}{volume.read_only && ' · read only'}</p></div>
                <form method="get" action="/folders/add" {...hx({ get: browseAddress(volume.mount_point), target: '#browse', swap: 'outerHTML' })}><input type="hidden" name="path" value={volume.mount_point} /><button class="button" type="submit">Look inside</button></form>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="section">
        <h2>Or type where it is</h2>
        <form method="post" action="/folders">
          <div class="with-button">
            <input type="text" name="path" aria-label="Path of the folder" placeholder="/Volumes/Blue SSD/Photos" value={props.add.path} autocomplete="off" autocapitalize="off" spellcheck={false} required />
            <button class="button button-main" type="submit">Add</button>
          </div>
        </form>
        <BrowseList browse={props.add.browse} />
      </div>
    </>
  );
}

function AddButton(props: { path: string; label?: string }) {
  return <form method="post" action="/folders"><input type="hidden" name="path" value={props.path} /><button class="button" type="submit">{props.label ?? 'Add'}</button></form>;
}

export function browseAddress(path: string): string {
  return `/folders/add?path=${encodeURIComponent(path)}`;
}

/** Fragment: the folders inside one. */
export function BrowseList(props: { browse: Browse | null; wrong?: string }) {
  const { browse } = props;
  if (!browse) return <div id="browse" class="browse"><Said text={props.wrong} wrong /></div>;
  const shown = browse.folders.slice(0, MAX_FOLDERS_SHOWN);
  const link = (path: string) => ({ href: browseAddress(path), ...hx({ get: browseAddress(path), target: '#browse', swap: 'outerHTML' }) });
  return (
    <div id="browse" class="browse section">
      <div class="folder"><span class="folder-name"><Icon name="folder" small /><span class="path"><bdi>{showName(browse.path)}</bdi></span></span><AddButton path={browse.path} label="Add this folder" /></div>
      <ul class="browse-list">
        {browse.parent !== null && <li><a {...link(browse.parent)}><Icon name="up" small />One level up</a></li>}
        {shown.map((folder) => <li><a {...link(folder.path)}><Icon name="folder" small /><bdi>{showName(folder.name)}</bdi></a></li>)}
        {shown.length === 0 && <li class="small problem">No folders inside.</li>}
        {browse.folders.length > shown.length && <li class="small problem">And {browse.folders.length - shown.length} more; type the path of one of those.</li>}
      </ul>
    </div>
  );
}

export interface FolderDetail { root_id: string; path: string; label: string; excludes: string[] }

export function FolderPage(props: { frame: FrameFacts; folder: FolderDetail; said?: string; wrong?: string }) {
  const { folder } = props;
  const address = `/folders/${idPath(folder.root_id)}`;
  return (
    <Page frame={props.frame} title="Folder" section="drives">
      <div class="page">
        <a class="back" href="/drives"><Icon name="left" small />Drives</a>
        <h1><bdi>{showName(folder.path) || 'The whole drive'}</bdi></h1>
        <p class="lead">On <bdi>{folder.label}</bdi></p>
        <Said text={props.said} /><Said text={props.wrong} wrong />
        <form class="section form form-wide" method="post" action={`${address}/excludes`}>
          <h2>Leave out</h2>
          <label class="field">
            <span>One pattern a line, such as <code>Screenshots</code>, <code>*.psd</code> or <code>2019/raw/**</code>. What was indexed before stays in the library.</span>
            <textarea name="excludes" spellcheck={false} autocapitalize="off">{folder.excludes.join('\n')}</textarea>
          </label>
          <div class="buttons"><button class="button" type="submit">Save</button></div>
        </form>
        <div class="section"><h2>Take it out</h2><p class="lead">Stop reading this folder. Its photos and files stay as they are.</p><p class="buttons"><a class="button" href={`${address}/remove`}>Stop reading this folder</a></p></div>
      </div>
    </Page>
  );
}

export function RemoveFolderPage(props: { frame: FrameFacts; folder: FolderDetail; wrong?: string }) {
  const { folder } = props;
  const address = `/folders/${idPath(folder.root_id)}`;
  return (
    <Page frame={props.frame} title="Stop reading a folder" section="drives">
      <div class="page">
        <h1>Stop reading ‘<bdi>{showName(folder.path || folder.label)}</bdi>’?</h1>
        <p class="lead">Nothing on the drive is touched, and the photos that were indexed stay in your library. New files there are no longer noticed. Adding the folder again undoes this.</p>
        <Said text={props.wrong} wrong />
        <form class="section buttons" method="post" action={`${address}/remove`}>
          <button class="button button-main" type="submit">Stop reading it</button>
          <a class="button" href={address}>Keep it</a>
        </form>
      </div>
    </Page>
  );
}

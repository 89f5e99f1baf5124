// Changes: what the owner corrected, newest first, each with its way back.
import { UndoForm } from './correct.tsx';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Icon } from './parts/icon.tsx';
import { assetAddress } from './parts/addresses.ts';
import { sayAgo, sayThings, showName } from './parts/words.ts';

export interface EditFacts { edit_id: number; at_ms: number; summary: string; assets: number; undone_at_ms: number | null; example: string | null }

export function EditsPage(props: { frame: FrameFacts; edits: EditFacts[]; next: string | null; first: boolean; nowMs: number; said?: string }) {
  return (
    <Page frame={props.frame} title="Changes" section="settings">
      <div class="page">
        <a class="back" href="/settings"><Icon name="left" small />Settings</a>
        <h1>Changes</h1>
        <p class="lead">What you changed of times, places and words. Your files stay as they are, and all of it can be undone.</p>
        <Said text={props.said} />
        {props.edits.length > 0
          ? <ul class="rows">{props.edits.map((edit) => <EditRow edit={edit} nowMs={props.nowMs} />)}</ul>
          : <p class="lead section">{props.first ? 'You have changed nothing yet. Open a photo and press the pencil beside its time, place or description.' : 'No more.'}</p>}
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>Earlier</a></p>}
      </div>
    </Page>
  );
}

/** Fragment: one change. `said` is what came of undoing it. */
export function EditRow(props: { edit: EditFacts; nowMs: number; said?: string }) {
  const { edit } = props;
  return (
    <li class="edit-row">
      <div>
        <bdi class={edit.undone_at_ms === null ? undefined : 'undone'}>{showName(edit.summary)}</bdi>
        <p class="small">{sayThings(edit.assets)} · {sayAgo(edit.at_ms, props.nowMs)}{edit.example && <> · <a href={assetAddress(edit.example)}>{edit.assets === 1 ? 'Open it' : 'Open one'}</a></>}</p>
        {props.said && <p class="small" role="status">{props.said}</p>}
      </div>
      {edit.undone_at_ms === null ? <UndoForm editId={edit.edit_id} target="closest .edit-row" swap="outerHTML" /> : <span class="small">Undone</span>}
    </li>
  );
}

// The frame round every page: head, rail or bottom bar, the top line, notices, the help. And the fragments that keep it live.
import type { Child } from 'hono/jsx';
import type { AgentStatus } from '../protocol/link.ts';
import { MAX_QUERY_CHARS, type SearchSort } from '../protocol/search.ts';
import { hx } from './parts/hx.ts';
import { Icon, Mark, type IconName } from './parts/icon.tsx';
import { Keys } from './parts/keys.tsx';
import { Doing } from './select.tsx';
import { elementId, idPath, sayNumber, sayProgress, showName } from './parts/words.ts';

export interface DriveDot { volumeId: string; label: string; connected: boolean }
/** What the frame shows on every page. */
export interface FrameFacts {
  scriptUrl: string; styleUrl: string;
  drives: DriveDot[]; agentAway: boolean;
  /** At most `PROBLEMS_COUNTED + 1`. */
  problems: number;
  status: AgentStatus | null;
}
/** What stands in the box: the search that the page shows. `live`: results follow what is typed. */
export interface BoxFacts { q: string; sort: SearchSort; live: boolean }
export type Section = 'photos' | 'search' | 'places' | 'albums' | 'drives' | 'trash' | 'settings' | 'problems' | 'none';

/** Drives named in the top line; the rest is a number. */
const MAX_DOTS = 4;
const PROBLEMS_SHOWN = 999;
/** Twice what is read of a query, so that what is cut off is said to be; few enough for an address, whatever the script. */
const MAX_BOX_CHARS = 2 * MAX_QUERY_CHARS;

export function Head(props: { title: string; scriptUrl: string; styleUrl: string; dark?: boolean; children?: Child }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      <title>{props.title}</title>
      <link rel="stylesheet" href={props.styleUrl} />
      <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      <link rel="apple-touch-icon" href="/icon-180.png" />
      <link rel="manifest" href="/site.webmanifest" />
      <meta name="color-scheme" content={props.dark ? 'dark' : 'light dark'} />
      {props.dark
        ? <meta name="theme-color" content="#060504" />
        : <><meta name="theme-color" media="(prefers-color-scheme: light)" content="#fdfcfa" /><meta name="theme-color" media="(prefers-color-scheme: dark)" content="#120e0b" /></>}
      {/* Without this a browser sends the forms of this page with `Origin: null`, which the guard must refuse. */}
      <meta name="htmx-config" content='{"history":false,"includeIndicatorCSS":false}' />
      {props.children}
      {/* Blocks the painting: the script places a grid's tiles exactly, and nothing may move after that. */}
      <script src={props.scriptUrl} defer {...{ blocking: 'render' }}></script>
    </head>
  );
}

export function Page(props: { frame: FrameFacts; title: string; section: Section; wide?: boolean; box?: BoxFacts; head?: Child; topEnd?: Child; after?: Child; children?: Child }) {
  const { frame } = props;
  return (
    <html lang="en">
      <Head title={`${props.title} · Jharokha`} scriptUrl={frame.scriptUrl} styleUrl={frame.styleUrl}>{props.head}</Head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <nav class="rail" aria-label="Main">
          <a class="mark" href="/" aria-label="Jharokha, to the photos" tabindex={-1}><Mark /></a>
          <RailLink href="/" icon="image" label="Photos" current={props.section === 'photos'} />
          <RailLink href="/search" icon="search" label="Search" current={props.section === 'search'} />
          <RailLink href="/places" icon="place" label="Places" current={props.section === 'places'} />
          <RailLink href="/albums" icon="album" label="Albums" current={props.section === 'albums'} />
          {/* On a phone the rest is a sheet behind this button; elsewhere it stands at the rail's end. */}
          <button class="rail-link rail-more" type="button" popovertarget="rail-end"><Icon name="more" />More{frame.problems > 0 && <span class="rail-dot"><span class="hidden-text">, there are problems</span></span>}</button>
          <div class="rail-end" id="rail-end" popover="auto">
            <ProblemsLink count={frame.problems} current={props.section === 'problems'} />
            <RailLink href="/drives" icon="drive" label="Drives" current={props.section === 'drives'} />
            <RailLink href="/trash" icon="trash" label="Trash" current={props.section === 'trash'} />
            <RailLink href="/settings" icon="settings" label="Settings" current={props.section === 'settings'} />
          </div>
        </nav>
        <div class="frame">
          <header class="top">
            <a class="top-title" href="/" aria-label="Jharokha, to the photos"><Mark /></a>
            <SearchBox {...props.box} />
            <div id="status" class="status" {...hx({ get: '/progress', trigger: 'live-status from:body', swap: 'innerMorph' })}><StatusLine status={frame.status} /></div>
            {props.topEnd}
            <ul id="dots" class="dots" aria-label="Drives" {...hx({ get: '/drives/dots', trigger: 'live-presence from:body', swap: 'innerMorph' })}><Dots drives={frame.drives} agentAway={frame.agentAway} /></ul>
          </header>
          <main id="main" class={props.wide ? 'main main-timeline' : 'main'} tabindex={-1}>{props.children}</main>
        </div>
        {props.after}
        {props.wide && <Doing />}
        <p class="kept-line" role="status"><span class="kept-away">Not connected: showing what was kept</span><span class="kept-back">Connected again. <a href="">Show what is new</a></span></p>
        <dialog id="help" class="sheet" aria-labelledby="help-title">
          <div class="sheet-head">
            <h2 id="help-title">Keyboard</h2>
            <form method="dialog"><button class="icon-button" aria-label="Close"><Icon name="close" /></button></form>
          </div>
          <Keys />
        </dialog>
      </body>
    </html>
  );
}

/** The search box: a plain form, which views/client/search.ts helps while one types. On a phone it is a button until it is touched or holds a search. */
function SearchBox(props: Partial<BoxFacts>) {
  return (
    <form id="search" class={props.live ? 'search search-open' : 'search'} role="search" method="get" action="/search" data-live={props.live ? '' : undefined}>
      <Icon name="search" />
      <input id="q" class="search-field" type="search" name="q" value={props.q ?? ''} dir="auto" maxlength={MAX_BOX_CHARS} enterkeyhint="search" autocomplete="off" autocapitalize="off" spellcheck={false}
        placeholder="Search: beach, Goa 2022, red saree…" aria-label="Search your photos" role="combobox" aria-expanded="false" aria-controls="suggestions" aria-autocomplete="list" aria-keyshortcuts="/"
        autofocus={props.live && props.q === ''} />
      {props.sort && props.sort !== 'relevance' && <input type="hidden" name="sort" value={props.sort} />}
      <kbd class="search-key" aria-hidden="true">/</kbd>
      <a class="search-clear" href="/search" aria-label="Clear the search"><Icon name="close" small /></a>
      <div id="suggest" class="suggest" hidden></div>
    </form>
  );
}

function RailLink(props: { href: string; icon: IconName; label: string; current: boolean; children?: Child }) {
  return (
    <a class="rail-link" href={props.href} aria-current={props.current ? 'page' : undefined}>
      <Icon name={props.icon} />{props.label}{props.children}
    </a>
  );
}

/** Only there while there are problems. */
function ProblemsLink(props: { count: number; current: boolean }) {
  if (props.count === 0 && !props.current) return null;
  const address = `/problems/link${props.current ? '?here' : ''}`;
  return <div id="problems" class="rail-slot" {...hx({ get: address, trigger: 'live-problems from:body', swap: 'innerMorph' })}><ProblemsCount {...props} /></div>;
}

/** Fragment: the link and its number. It stays where it is when the number falls to none, until the next page. */
export function ProblemsCount(props: { count: number; current: boolean }) {
  const shown = props.count > PROBLEMS_SHOWN ? `${PROBLEMS_SHOWN}+` : String(props.count);
  return (
    <RailLink href="/problems" icon="problem" label="Problems" current={props.current}>
      {props.count > 0 && <span class="rail-count"><span class="hidden-text">, </span>{shown}</span>}
    </RailLink>
  );
}

/** Fragment: the drives at the top right. */
export function Dots(props: { drives: DriveDot[]; agentAway: boolean }) {
  const sorted = [...props.drives].sort((a, b) => Number(b.connected) - Number(a.connected));
  const rest = sorted.length - MAX_DOTS;
  return (
    <>
      {sorted.slice(0, MAX_DOTS).map((drive) => (
        <li class={drive.connected ? undefined : 'away'}>
          <a href={`/drives#${elementId('drive', drive.volumeId)}`} class={drive.connected ? undefined : 'away'}>
            <span class="dot" aria-hidden="true"></span><bdi class="dot-name">{showName(drive.label)}</bdi>{drive.connected ? <span class="hidden-text">, connected</span> : ', away'}
          </a>
        </li>
      ))}
      {sorted.length > 1 && <li class="dots-phone"><a href="/drives" class="away">+{sayNumber(sorted.length - 1)}<span class="hidden-text"> more</span></a></li>}
      {rest > 0 && <li class="dots-rest"><a href="/drives" class="away">{sayNumber(rest)} more</a></li>}
      {sorted.length === 0 && props.agentAway && <li class="away"><a href="/drives" class="away"><span class="dot" aria-hidden="true"></span>Agent, away</a></li>}
    </>
  );
}

/** Fragment: what the agent does now, and what it asks. A fixed height, so that nothing moves when it comes and goes. */
export function StatusLine(props: { status: AgentStatus | null }) {
  const progress = sayProgress(props.status);
  const question = props.status?.questions[0];
  return (
    <>
      {progress && (
        <a href="/progress" aria-live="off">
          {progress.share !== null && <span class="status-bar" aria-hidden="true"><i style={`--p:${Math.min(1, progress.share).toFixed(3)}`}></i></span>}
          <span class="status-text">{progress.text}</span><span class="status-short" aria-hidden="true">{progress.short}</span>
        </a>
      )}
      {question && (
        <div class="notice" role="status">
          <span>{sayNumber(question.vanished)} files on ‘<bdi>{showName(question.label)}</bdi>’ were not found. Nothing was changed.</span>
          <a href={`/drives/question/${idPath(question.scan_id)}`}>Decide</a>
        </div>
      )}
    </>
  );
}

/** One sentence after something was done, or could not be. */
export function Said(props: { text: string | undefined; wrong?: boolean }) {
  return props.text ? <p class={props.wrong ? 'said said-wrong' : 'said'} role={props.wrong ? 'alert' : 'status'}>{props.text}</p> : null;
}

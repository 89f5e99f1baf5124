// What a reader gets instead of a page: one sentence, and the way back. Asks nothing of D1 or the link, which may be the trouble.
import type { Child } from 'hono/jsx';
import { Head } from './frame.tsx';
import { Mark } from './parts/icon.tsx';

/** What the service worker shows for a page that it has not kept: the address stays, so that trying again is opening it. */
export function OfflinePage(props: { scriptUrl: string; styleUrl: string }) {
  return (
    <ErrorPage title="Not connected" text="This page was not kept in this browser, and the computer that runs Jharokha does not answer. What you looked at before is still here." scriptUrl={props.scriptUrl} styleUrl={props.styleUrl}>
      <a class="button" href="">Try again</a>
    </ErrorPage>
  );
}

export function ErrorPage(props: { title: string; text: string; scriptUrl: string; styleUrl: string; children?: Child }) {
  return (
    <html lang="en">
      <Head title={`${props.title} · Jharokha`} scriptUrl={props.scriptUrl} styleUrl={props.styleUrl} />
      <body>
        <main class="main">
          <div class="start">
            <div class="start-mark"><Mark /></div>
            <h1>{props.title}</h1>
            <p class="lead">{props.text}</p>
            <div class="section buttons"><a class="button" href="/">To the photos</a>{props.children}</div>
          </div>
        </main>
      </body>
    </html>
  );
}

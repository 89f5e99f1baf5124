// What a reader gets instead of a page: one sentence, and the way back. Asks nothing of D1 or the link, which may be the trouble.
import { Head } from './frame.tsx';
import { Mark } from './parts/icon.tsx';

export function ErrorPage(props: { title: string; text: string; scriptUrl: string; styleUrl: string }) {
  return (
    <html lang="en">
      <Head title={`${props.title} · Jharokha`} scriptUrl={props.scriptUrl} styleUrl={props.styleUrl} />
      <body>
        <main class="main">
          <div class="start">
            <div class="start-mark"><Mark /></div>
            <h1>{props.title}</h1>
            <p class="lead">{props.text}</p>
            <p class="section"><a class="button" href="/">To the photos</a></p>
          </div>
        </main>
      </body>
    </html>
  );
}

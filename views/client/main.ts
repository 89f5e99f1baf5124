// The one script: htmx, and the islands that htmx cannot be. Every page works without it.
import 'htmx.org';
import { startActions } from './actions.ts';
import { startFolders } from './folders.ts';
import { startHelp } from './help.ts';
import { startLive } from './live.ts';
import { startMoving } from './moving.ts';
import { startSearch } from './search.ts';
import { startSelect } from './select.ts';
import { startTimeline } from './timeline.ts';
import { startToasts } from './toast.ts';
import { startViewer } from './viewer.ts';

startToasts();
startSelect();
startActions();
startFolders();
startHelp();
startLive();
startMoving();
startSearch();
startTimeline();
startViewer();

// The one script: htmx, and the islands that htmx cannot be. Every page works without it.
import 'htmx.org';
import { startFolders } from './folders.ts';
import { startHelp } from './help.ts';
import { startLive } from './live.ts';
import { startMoving } from './moving.ts';
import { startOffline } from './offline.ts';
import { startSearch } from './search.ts';
import { startTimeline } from './timeline.ts';
import { startViewer } from './viewer.ts';

startFolders();
startHelp();
startLive();
startMoving();
startOffline();
startSearch();
startTimeline();
startViewer();

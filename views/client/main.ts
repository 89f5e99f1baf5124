// The one script: htmx, and the islands that htmx cannot be. Every page works without it.
import { startGrid } from './grid/grid.ts';
import 'htmx.org';
import { startActions } from './actions.ts';
import { startFolders } from './folders.ts';
import { startHelp } from './help.ts';
import { startLive } from './live.ts';
import { startMoving } from './moving.ts';
import { startOffline } from './offline.ts';
import { startSearch } from './search.ts';
import { startSelect } from './select.ts';
import { startToasts } from './toast.ts';
import { startViewer } from './viewer.ts';

// First: what the page shows is put in its place before it is painted.
startGrid();
startToasts();
startSelect();
startActions();
startFolders();
startHelp();
startLive();
startMoving();
startOffline();
startSearch();
startViewer();

// The one script: htmx, and the islands that htmx cannot be. Every page works without it.
import 'htmx.org';
import { startHelp } from './help.ts';
import { startLive } from './live.ts';
import { startTimeline } from './timeline.ts';
import { startViewer } from './viewer.ts';

startHelp();
startLive();
startTimeline();
startViewer();

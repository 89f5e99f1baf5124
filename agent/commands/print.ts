// What a command says: results to stdout, everything else to stderr. With --json stdout is pure JSON, a line a value.
import type { AgentStatus } from '../../protocol/link.ts';

export function printJson(value: unknown): void { process.stdout.write(`${JSON.stringify(value)}\n`); }
export function printLine(line: string): void { process.stdout.write(`${line}\n`); }
export function say(line: string): void { clearProgress(); process.stderr.write(`${line}\n`); }

/** Text from files may hold control characters and line breaks: shown escaped, so that no name can write to the terminal. */
export function safe(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

let shown = false;

/** The bar with an estimate, on a terminal only; one line that is overwritten. */
export function showProgress(status: AgentStatus): void { showLine(progressText(status)); }

/** The same for what is no phase of the agent. */
export function showLine(line: string): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[K${line}`);
  shown = true;
}

export function clearProgress(): void {
  if (shown) process.stderr.write('\r\u001b[K');
  shown = false;
}

/** One line for people: what goes on, how far, how long. */
export function progressText(status: AgentStatus): string {
  const left = status.eta_s === null ? '' : `, ${durationText(status.eta_s)} left`;
  const rate = status.rate_per_s === null ? '' : `, ${status.rate_per_s.toFixed(status.rate_per_s < 10 ? 1 : 0)} a second`;
  if (status.phase === 'scanning') return `Reading ${status.root ? safe(status.root) : 'folders'}: ${(status.counts?.seen ?? 0).toLocaleString('en')} files${rate}${left}`;
  if (status.phase === 'rendering') return `Previews: ${(status.pending.previews ?? 0).toLocaleString('en')} to go${rate}${left}`;
  if (status.phase === 'pushing') return `Storing: ${(status.pending.facts ?? 0).toLocaleString('en')} to go`;
  if (status.phase === 'embedding') return `Search: ${(status.pending.vectors ?? 0).toLocaleString('en')} pictures to go${rate}${left}`;
  if (status.phase === 'proxies') return `Small videos: ${(status.pending.proxies ?? 0).toLocaleString('en')} to go${rate}${left}`;
  return 'Up to date';
}

export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.round((seconds % 3_600) / 60)} min`;
}

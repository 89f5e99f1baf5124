// An agent's end of the link, for pages: says what is connected and what it does, and answers requests as told.
import { PRESENCE_LEASE_MS, PRESENCE_RENEW_MS, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { WorkerFrame, type AgentFrame, type AgentStatus, type PresentVolume, type RequestArgs, type RequestName, type RequestResult } from '../../protocol/link.ts';
import { SITE_TOKEN, type Site } from './site.ts';

/** A thrown Error's message goes to the page as the agent's own sentence. */
export type Answers = { [N in RequestName]?: (args: RequestArgs<N>) => RequestResult<N> | Promise<RequestResult<N>> };
export interface FakeAgent { asked: { name: string; args: unknown }[]; present(volumes: PresentVolume[]): void; say(status: AgentStatus): void; stop(): Promise<void> }

export const IDLE: AgentStatus = { phase: 'idle', root: null, counts: null, pending: { facts: 0, previews: 0, proxies: null, vectors: null }, rate_per_s: null, eta_s: null, questions: [] };

export function presentVolume(volumeId: string, label: string): PresentVolume {
  return { volume_id: volumeId, label, mount_point: `/Volumes/${label}`, fs_type: 'apfs', capacity_bytes: 1e12, free_bytes: 4e11, read_only: false, removable: true };
}

/** Connects and waits until the Worker has said welcome. */
export async function startFakeAgent(site: Site, answers: Answers = {}): Promise<FakeAgent> {
  const socket = new WebSocket(`${site.url.replace('http', 'ws')}/link`, { headers: { Authorization: `Bearer ${SITE_TOKEN}` } } as unknown as string[]);
  const asked: FakeAgent['asked'] = [];
  const send = (frame: AgentFrame) => socket.send(JSON.stringify(frame));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => send({ type: 'hello', protocol: PROTOCOL_VERSION, agent_id: 'agent-of-a-test', version: '0.0.0', host: 'test' }));
    socket.addEventListener('error', () => reject(new Error('the link did not open')));
    socket.addEventListener('message', async (event) => {
      const frame = WorkerFrame.parse(JSON.parse(String(event.data)));
      if (frame.type === 'welcome') { resolve(); return; }
      asked.push({ name: frame.name, args: frame.args });
      const answer = answers[frame.name as RequestName] as ((args: unknown) => unknown) | undefined;
      try {
        if (!answer) throw new Error(`This agent of a test does not know how to ${frame.name}.`);
        send({ type: 'reply', id: frame.id, result: await answer(frame.args) });
      } catch (error) { send({ type: 'reply', id: frame.id, error: error instanceof Error ? error.message : 'unknown' }); }
    });
  });
  let here: PresentVolume[] = [];
  const renew = () => send({ type: 'presence', volumes: here, lease_ms: PRESENCE_LEASE_MS });
  const renewing = setInterval(renew, PRESENCE_RENEW_MS);
  return {
    asked,
    present: (volumes) => { here = volumes; renew(); },
    say: (status) => send({ type: 'status', status }),
    stop: () => new Promise((resolve) => {
      clearInterval(renewing);
      if (socket.readyState === WebSocket.CLOSED) { resolve(); return; }
      socket.addEventListener('close', () => resolve());
      socket.close(1000);
    }),
  };
}

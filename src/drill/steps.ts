import type { ProfileName } from '../core/config/profile.js';
import { rollOut } from '../rig/roll-out.js';
import type { StepKind } from './drill-result.js';
import type { Stage } from './stage/stage.js';

/** A step of a drill. */
export interface Step {
  readonly name: string;
  readonly kind: StepKind;
  /** Whether legacy clients can be served once it is done. */
  readonly servesLegacy: boolean;
  /** Does what is rehearsed; throws an error that says why it could not be done. `mark` notes a moment. */
  act(stage: Stage, mark: (label: string) => void): Promise<void>;
}

/** What a drill does, in this order. It begins, and ends, under `WEBSOCKET`. */
export const STEPS: readonly Step[] = [
  { name: 'baseline', kind: 'baseline', servesLegacy: true, act: () => Promise.resolve() },
  flip('WEBSOCKET', 'HYBRID'),
  flip('HYBRID', 'SSE'),
  flip('SSE', 'WEBSOCKET'),
  { name: 'rolling restart', kind: 'restart', servesLegacy: true, act: restartAll },
  { name: 'SIGKILL', kind: 'kill', servesLegacy: true, act: killOne },
];

function flip(from: ProfileName, to: ProfileName): Step {
  return {
    name: `${from} → ${to}`,
    kind: 'flip',
    servesLegacy: to !== 'SSE',
    async act({ nodes }, mark) {
      await rollOut({
        url: nodes[0]?.url ?? '',
        profile: to,
        onNode: (number) => {
          mark(`node ${String(number)} → ${to}`);
        },
      });
    },
  };
}

/** Ends each node as an orchestrator would, starts it again, and goes on to the next once it is ready. */
async function restartAll({ nodes, remember }: Stage, mark: (label: string) => void): Promise<void> {
  for (const node of nodes) {
    mark(`${node.name} SIGTERM`);
    const code = await node.stop();
    mark(`${node.name} gone`);
    if (code !== 0) throw new Error(`${node.name} ended with exit code ${String(code)}`);
    await node.start();
    remember();
    mark(`${node.name} back`);
  }
}

/** Kills the node that copies what is published on channels: another has to take that over, too. */
async function killOne({ nodes, remember }: Stage, mark: (label: string) => void): Promise<void> {
  const copying = await Promise.all(nodes.map((node) => node.copiesChannels()));
  const node = nodes[Math.max(0, copying.indexOf(true))];
  if (node === undefined) throw new Error('there is no node to kill');
  mark(`${node.name} SIGKILL`);
  await node.kill();
  await node.start();
  remember();
  mark(`${node.name} back`);
}

import { thisMachine } from '../rig/machine.js';
import type { RehearsalParts } from '../rig/rehearsal.js';
import { failedLevels } from './levels.js';
import { LoadCrowd } from './load/load-crowd.js';
import { messageOf, ProfileBench } from './profile-bench.js';
import { OwnGateways } from './subject/own-gateways.js';
import { RunningGateway } from './subject/running-gateway.js';
import { shownOptions, type ValidateOptions } from './validate-options.js';
import type { ProfileResult, ValidationResult } from './validation-result.js';

/** What holds of every validation. */
const METHOD = [
  'An event that a newer value of its key replaced before it left has no arrival: what counts is what arrives, and that every client has the final values and all events without a key.',
  'CPU is that of the server alone, from when all clients have everything until they have everything again. The server with one emit per event takes events at the same rate from the same publisher over HTTP, for half of the time, with as many clients of the same kinds: stock Socket.IO (io.to(room).emit) for those over Socket.IO, one write for each event and client, encoded once, for those over Server-Sent Events.',
  'Event-loop lag is the largest that the status told from 5 s after the load began, or at its end where it is shorter; each reading is over the 5 to 10 s before it, so warming up and, in short runs, what was before are in it.',
];

/** What a validation is given. */
export interface ValidationParts extends RehearsalParts {
  readonly options: ValidateOptions;
}

/** Runs a validation. Rejects where it could not begin; whatever happens from then on is in the result. */
export async function runValidation({ options, ...parts }: ValidationParts): Promise<ValidationResult> {
  const { closers, tell } = parts;
  const { url } = options;
  const running = url === undefined ? undefined : await RunningGateway.find(url, options, parts);
  const crowd = new LoadCrowd(options.processes);
  closers.add('clients', () => crowd.close());
  const gateways = running ?? (await OwnGateways.prepare(options, crowd, parts));
  const startedAt = Date.now();
  const bench = new ProfileBench(options, gateways, crowd, parts);
  const profiles: ProfileResult[] = [];
  for (const profile of gateways.profiles) profiles.push(await bench.measure(profile));
  const restored = await messageOf(gateways.restore());
  if (restored !== undefined) tell(restored);
  const troubles = profiles.flatMap(({ profile, trouble }) =>
    trouble === null ? [] : [`${profile}: ${trouble}`],
  );
  // What a trouble kept from being measured is told by the trouble.
  const failed = profiles.flatMap(({ levels, trouble }) =>
    failedLevels(levels, options.allowUnmeasured || trouble !== null),
  );
  const failures = [
    ...troubles,
    ...failed,
    ...(restored === undefined ? [] : [`not flipped back to what was served: ${restored}`]),
  ];
  return {
    passed: failures.length === 0,
    failures,
    startedAt: new Date(startedAt).toISOString(),
    seconds: (Date.now() - startedAt) / 1000,
    options: shownOptions(options),
    machine: thisMachine(),
    subject: gateways.name,
    method: [...gateways.method, ...METHOD],
    profiles,
  };
}

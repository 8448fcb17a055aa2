import path from 'node:path';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Denials } from '../../core/auth/denials.js';
import type { DeniedPrincipals } from '../../core/auth/denied-principals.js';
import type { Clock } from '../../core/clock.js';
import type { RemoteSessions } from '../../core/cluster/remote-sessions.js';
import type { CommandGate } from '../../core/control/gate.js';
import type { Delivery } from '../../core/delivery/delivery.js';
import { Refusal } from '../../core/errors.js';
import type { Flips } from '../../core/flip/flips.js';
import type { Logger } from '../../core/logger.js';
import type { Tracing } from '../../core/tracing.js';
import type { Callers } from './callers.js';
import { identify } from './guard.js';
import type { LargeAnswers } from './large-answers.js';
import { transportAt, profileDocument, type Served, transportDisabled } from './profile-document.js';
import { sendFailure, sendJson, sendRefusal } from './reply.js';
import { clientScriptRoutes } from './routes/client-script.js';
import { controlRoutes } from './routes/control.js';
import { denialRoutes } from './routes/denials.js';
import { documentRoutes } from './routes/documents.js';
import { flipRoutes } from './routes/flips.js';
import { metricsRoute } from './routes/metrics.js';
import { meRoutes } from './routes/me.js';
import { healthRoutes, type Operations, operationRoutes } from './routes/operations.js';
import { roomRoutes } from './routes/rooms.js';
import { sessionRoutes } from './routes/sessions.js';

/** What the routes stand on. */
export interface AppParts {
  readonly served: () => Served;
  readonly delivery: Delivery;
  /** Sessions of other nodes; undefined where there are none. */
  readonly remoteSessions: RemoteSessions | undefined;
  readonly gate: CommandGate;
  readonly callers: Callers;
  readonly flips: Flips;
  readonly denials: Denials;
  readonly denied: DeniedPrincipals;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** Most bytes of a body. */
  readonly maxBodyBytes: number;
  readonly answers: LargeAnswers;
  /** The folder of the operators' page. */
  readonly consoleFolder: string;
  /** The folder of the bundled SDK. */
  readonly clientFolder: string;
}

/** The routes every profile has, but for the events' entrance. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(refuseDisabled(parts.served));
  app.get('/api/profile', (_req, res) => {
    sendJson(res, 200, profileDocument(parts.served()));
  });
  app.use(healthRoutes(parts.operations), clientScriptRoutes(parts.clientFolder), documentRoutes());
  app.get('/', (_req, res) => {
    res.sendFile(path.join(parts.consoleFolder, 'index.html'));
  });
  app.use('/console', express.static(parts.consoleFolder));
  // From here on it must be known who asks. Each route reads its body by itself, once the caller's rights allow it.
  app.use(['/api', '/metrics'], identify(parts.callers));
  app.use(meRoutes(), controlRoutes(parts));
  app.use(sessionRoutes(parts));
  app.use(roomRoutes(parts.delivery.rooms, parts.answers));
  app.use(operationRoutes(parts.operations), metricsRoute(parts.operations));
  app.use(flipRoutes(parts), denialRoutes(parts));
  app.use((req, res) => {
    sendRefusal(res, new Refusal('not_found', `nothing answers ${req.method} here`));
  });
  app.use(answerErrors(parts.logger));
  return app;
}

const CONTROL_PATHS = /^\/api\/(control(\/[^/]+)?|[^/]+\/control)\/?$/i;

/** Comes before the body is looked at: a client must learn that it is at the wrong door, whatever it brings. */
function refuseDisabled(served: () => Served): RequestHandler {
  return (req, res, next) => {
    const { control } = served().transports;
    const off = transportAt(req.path) !== undefined || (!control && CONTROL_PATHS.test(req.path));
    if (off) sendRefusal(res, transportDisabled(served(), req.path), profileDocument(served()));
    else next();
  };
}

function answerErrors(logger: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: { status?: unknown }, req, res, _next) => {
    if (typeof error.status === 'number' && error.status < 500) return sendRefusal(res, unservable(error));
    logger.error('a request failed', { method: req.method, path: req.path, error });
    sendFailure(res);
  };
}

/** Express and its parts say in their messages which file they looked for, or what they could not read: nothing of it is passed on. */
function unservable({ status }: { readonly status?: unknown }): Refusal {
  return status === 404
    ? new Refusal('not_found', 'nothing is served at this path')
    : new Refusal('bad_request', 'the path or the headers of this request are not well-formed');
}

import { Router } from 'express';
import type { CommandSummary } from '../../../core/control/command-store.js';
import { Refusal } from '../../../core/errors.js';
import { requires } from '../guard.js';
import { sendJson, sendRefusal } from '../reply.js';

/** Commands of one answer: default and most. */
export const COMMANDS_LIMIT = { default: 50, max: 200 };

/** What the routes for operators ask. */
export interface Operations {
  /** Everything the console shows. */
  status(): Promise<object>;
  /** Fit to receive traffic, or why not. */
  readiness(): { readonly ready: boolean };
  /** The newest commands, newest first. */
  commands(limit: number): Promise<readonly CommandSummary[] | Refusal>;
  /** All figures, for Prometheus. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** `GET /healthz`: alive. `GET /readyz`: 200 when fit to receive traffic, else 503. For whoever asks. */
export function healthRoutes(operations: Pick<Operations, 'readiness'>): Router {
  return Router()
    .get('/healthz', (_req, res) => {
      sendJson(res, 200, { status: 'ok' });
    })
    .get('/readyz', (_req, res) => {
      const readiness = operations.readiness();
      sendJson(res, readiness.ready ? 200 : 503, readiness);
    });
}

/** `GET /api/admin/status`. `GET /api/admin/commands?limit=`: the newest commands and their states. Right: `status`. */
export function operationRoutes(operations: Operations): Router {
  return Router()
    .get('/api/admin/status', requires('status'), async (_req, res) => {
      sendJson(res, 200, await operations.status());
    })
    .get('/api/admin/commands', requires('status'), async (req, res) => {
      const { limit = String(COMMANDS_LIMIT.default) } = req.query;
      const count = Number(limit);
      if (!Number.isInteger(count) || count < 1 || count > COMMANDS_LIMIT.max) {
        return sendRefusal(res, new Refusal('bad_request', 'limit must be a whole number from 1 to 200'));
      }
      const commands = await operations.commands(count);
      if (commands instanceof Refusal) sendRefusal(res, commands);
      else sendJson(res, 200, { commands });
    });
}

import { Router } from 'express';
import { sendJson } from '../reply.js';

/** What the routes for operators ask. */
export interface Operations {
  /** Everything the console shows. */
  status(): Promise<object>;
  /** Fit to receive traffic, or why not. */
  readiness(): { readonly ready: boolean };
}

/** `GET /healthz`: alive. `GET /readyz`: 200 when fit to receive traffic, else 503. `GET /api/admin/status`. */
export function operationRoutes(operations: Operations): Router {
  return Router()
    .get('/healthz', (_req, res) => {
      sendJson(res, 200, { status: 'ok' });
    })
    .get('/readyz', (_req, res) => {
      const readiness = operations.readiness();
      sendJson(res, readiness.ready ? 200 : 503, readiness);
    })
    .get('/api/admin/status', async (_req, res) => {
      sendJson(res, 200, await operations.status());
    });
}

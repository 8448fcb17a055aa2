import { Router } from 'express';
import type { RightsSpec } from '../../../core/auth/rights.js';
import { callerOf } from '../guard.js';
import { sendJson } from '../reply.js';

/** Who asks, as the gateway sees it by what was shown. */
export interface Me {
  /** `key:<id>`, `user:<sub>` or `address:<ip>`. */
  readonly id: string;
  readonly rights: RightsSpec;
  /** When what was shown expires, epoch ms; null: never. */
  readonly expiresAt: number | null;
}

/** `GET /api/me`: who asks, and what that may do ({@link Me}). For whoever is let in. */
export function meRoutes(): Router {
  return Router().get('/api/me', (_req, res) => {
    const { id, rights, expiresAt } = callerOf(res);
    sendJson(res, 200, { id, rights: rights.toJSON(), expiresAt } satisfies Me);
  });
}

import { Router } from 'express';
import { requires } from '../guard.js';
import type { Operations } from './operations.js';

/** `GET /metrics`: all figures in Prometheus' text format. Right: `metrics`. */
export function metricsRoute({ metrics }: Pick<Operations, 'metrics'>): Router {
  return Router().get('/metrics', requires('metrics'), async (_req, res) => {
    const { contentType, text } = await metrics();
    res.setHeader('Content-Type', contentType);
    res.setHeader('Cache-Control', 'no-store');
    res.end(text);
  });
}

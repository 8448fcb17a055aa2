import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FrameBatch } from '../../../src/console/frame-batch.js';

describe('FrameBatch', () => {
  let frames: (() => void)[];
  let drawings: number;
  let batch: FrameBatch;
  const page = globalThis as { requestAnimationFrame?: unknown };

  beforeEach(() => {
    jest.useFakeTimers();
    frames = [];
    drawings = 0;
    page.requestAnimationFrame = (draw: () => void): number => frames.push(draw);
    batch = new FrameBatch(() => {
      drawings += 1;
    }, 100);
  });

  afterEach(() => {
    jest.useRealTimers();
    delete page.requestAnimationFrame;
  });

  /** `ms` pass on a page that people see: each frame that was asked for comes. */
  function watch(ms: number): void {
    for (let passed = 0; passed < ms; passed += 10) {
      jest.advanceTimersByTime(10);
      for (const frame of frames.splice(0)) frame();
    }
  }

  it('draws once for many requests', () => {
    for (let n = 0; n < 1000; n += 1) batch.request();
    expect(drawings).toBe(0);
    watch(500);
    expect(drawings).toBe(1);
  });

  it('draws ten times a second while things change all the time', () => {
    for (let n = 0; n < 100; n += 1) {
      batch.request();
      watch(10);
    }
    expect(drawings).toBeGreaterThanOrEqual(8);
    expect(drawings).toBeLessThanOrEqual(10);
  });

  it('draws what changed last', () => {
    batch.request();
    watch(20);
    expect(drawings).toBe(1);
    batch.request();
    watch(200);
    expect(drawings).toBe(2);
  });

  it('does not draw a hidden page, and asks for one frame only', () => {
    for (let n = 0; n < 50; n += 1) {
      batch.request();
      jest.advanceTimersByTime(100);
    }
    expect(drawings).toBe(0);
    expect(frames).toHaveLength(1);
    watch(10);
    expect(drawings).toBe(1);
  });
});

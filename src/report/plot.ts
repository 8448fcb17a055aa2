import { escapeText, px } from './markup.js';
import { niceScale } from './nice-scale.js';

/** Where a plot is drawn, px. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly height: number;
}

/** Values from 0 to `largest`, from the bottom of an area to its top. */
export function linear(
  { top, height }: Pick<PlotArea, 'top' | 'height'>,
  largest: number,
): (value: number) => number {
  return (value) => top + height * (1 - value / largest);
}

/** What a plot shows, above its area. */
export function plotTitle(text: string, { left, top }: Pick<PlotArea, 'left' | 'top'>): string {
  return `<text class="row" x="${px(left)}" y="${px(top - 12)}">${escapeText(text)}</text>`;
}

/** A line across an area at `y`, with its label before it. */
export function gridLine(
  { left, right }: Pick<PlotArea, 'left' | 'right'>,
  y: number,
  label: string,
): string {
  return (
    `<line class="grid" x1="${px(left)}" x2="${px(right)}" y1="${px(y)}" y2="${px(y)}"/>` +
    `<text class="axis" x="${px(left - 8)}" y="${px(y + 4)}" text-anchor="end">${escapeText(label)}</text>`
  );
}

/** A line for each value of a scale. */
export function grid(
  area: Pick<PlotArea, 'left' | 'right'>,
  scale: readonly number[],
  y: (value: number) => number,
): string[] {
  return scale.map((value) =>
    gridLine(area, y(value), value >= 1000 ? `${String(value / 1000)}k` : String(value)),
  );
}

/** What is demanded, as a line across an area. */
export function limitLine({ left, right }: Pick<PlotArea, 'left' | 'right'>, y: number): string {
  return `<line class="limit" x1="${px(left)}" x2="${px(right)}" y1="${px(y)}" y2="${px(y)}"/>`;
}

/** Marks at round values from 0 to `largest`, below an area; `unit` stands behind each. */
export function bottomAxis(
  { top, height }: Pick<PlotArea, 'top' | 'height'>,
  largest: number,
  x: (value: number) => number,
  { steps, unit }: { readonly steps: number; readonly unit: string },
): string {
  const bottom = top + height;
  return niceScale(largest, steps)
    .filter((value) => value <= largest)
    .map(
      (value) =>
        `<line class="tick" x1="${px(x(value))}" x2="${px(x(value))}" y1="${px(bottom)}" y2="${px(bottom + 5)}"/>` +
        `<text class="axis" x="${px(x(value))}" y="${px(bottom + 20)}" text-anchor="middle">${String(value)} ${unit}</text>`,
    )
    .join('\n');
}

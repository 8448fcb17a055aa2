const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 32;

/** A small line of the latest values, drawn as SVG. Decoration: the numbers beside it are what is read out. */
export class SparkLine {
  readonly #capacity: number;
  readonly #line: SVGPolylineElement;
  readonly #area: SVGPolygonElement;

  /** Draws into `host`; `capacity` values fill its width, newest at the right. */
  constructor(host: Element, capacity: number) {
    this.#capacity = Math.max(2, capacity);
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${String(WIDTH)} ${String(HEIGHT)}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    this.#area = document.createElementNS(SVG, 'polygon');
    this.#line = document.createElementNS(SVG, 'polyline');
    this.#line.setAttribute('vector-effect', 'non-scaling-stroke');
    svg.append(this.#area, this.#line);
    host.replaceChildren(svg);
  }

  /** Shows `values`, oldest first, on a scale from 0 to `max` (or their own greatest, when that is more). */
  draw(values: readonly number[], max: number): void {
    const shown = values.slice(-this.#capacity);
    const top = Math.max(max, ...shown, Number.EPSILON);
    const step = WIDTH / (this.#capacity - 1);
    const points = shown.map((value, index) => {
      const x = WIDTH - (shown.length - 1 - index) * step;
      const y = HEIGHT - 1 - (Math.max(0, value) / top) * (HEIGHT - 2);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    const left = (WIDTH - (shown.length - 1) * step).toFixed(1);
    this.#line.setAttribute('points', points.join(' '));
    this.#area.setAttribute(
      'points',
      points.length < 2
        ? ''
        : `${left},${String(HEIGHT)} ${points.join(' ')} ${String(WIDTH)},${String(HEIGHT)}`,
    );
  }
}

import type { GatewayEvent } from '../client/index.js';
import { FrameBatch } from './frame-batch.js';
import { HISTORY, type HostReading, HostReadings } from './host-readings.js';
import { formatBytes, formatDuration, formatNumber, formatTimeOfDay, UNKNOWN } from './quantity.js';
import { SparkLine } from './spark-line.js';

/** The elements a host card lives in. */
export interface HostCardParts {
  readonly card: HTMLElement;
  /** Shown when more than one host is heard. */
  readonly hostSelect: HTMLSelectElement;
  readonly cpu: HTMLElement;
  readonly cpuLine: HTMLElement;
  readonly cores: HTMLElement;
  readonly memory: HTMLElement;
  readonly memoryDetail: HTMLElement;
  readonly memoryBar: HTMLElement;
  readonly load: HTMLElement;
  readonly loadLine: HTMLElement;
  /** Host, age and process in a line. */
  readonly note: HTMLElement;
}

/** Most cores drawn one by one. */
const MAX_CORES = 128;
/** A reading older than this is shown faded, ms. */
const STALE_MS = 5000;

/** CPU, memory and load of a host, as its monitor measures them. */
export class HostCard {
  readonly #parts: HostCardParts;
  readonly #readings = new HostReadings();
  readonly #cpuLine: SparkLine;
  readonly #loadLine: SparkLine;
  readonly #drawing = new FrameBatch(() => {
    this.#draw();
  });
  #heardMs = Number.NEGATIVE_INFINITY;

  constructor(parts: HostCardParts) {
    this.#parts = parts;
    this.#cpuLine = new SparkLine(parts.cpuLine, HISTORY);
    this.#loadLine = new SparkLine(parts.loadLine, HISTORY);
    parts.hostSelect.addEventListener('change', () => {
      this.#drawing.request();
    });
  }

  /** Takes any event; those that tell of no host change nothing. */
  take(event: GatewayEvent): void {
    if (!this.#readings.take(event)) return;
    this.#heardMs = performance.now();
    this.#drawing.request();
  }

  /** Fades what has grown old; to be called about once a second. */
  checkAge(): void {
    this.#parts.card.dataset['stale'] = String(performance.now() - this.#heardMs > STALE_MS);
  }

  #draw(): void {
    const reading = this.#selected();
    if (reading === undefined) return;
    const parts = this.#parts;
    const { perCpuPercent: cores, load } = reading;
    parts.cpu.textContent =
      reading.cpuPercent === undefined ? UNKNOWN : `${formatNumber(reading.cpuPercent)} %`;
    this.#cpuLine.draw(reading.cpuHistory, 100);
    drawCores(parts.cores, cores);
    const percent = reading.memoryPercent;
    parts.memory.textContent = percent === undefined ? UNKNOWN : `${formatNumber(percent)} %`;
    parts.memoryBar.style.setProperty('--level', String(Math.min(100, Math.max(0, percent ?? 0)) / 100));
    parts.memoryDetail.textContent = `${formatBytes(reading.memoryUsedBytes)} of ${formatBytes(reading.memoryTotalBytes)}`;
    parts.load.textContent =
      load.length === 0 ? UNKNOWN : load.map((value) => formatNumber(value, 2)).join('  ');
    this.#loadLine.draw(reading.loadHistory, Math.max(1, cores.length));
    parts.note.textContent = describe(reading);
    this.checkAge();
  }

  /** The chosen host's reading; keeps the choices up to date. */
  #selected(): HostReading | undefined {
    const { hostSelect } = this.#parts;
    const { hosts } = this.#readings;
    const listed = Array.from(hostSelect.options, (option) => option.value);
    if (hosts.join('\n') !== listed.join('\n')) {
      const chosen = hostSelect.value;
      hostSelect.replaceChildren(...hosts.map((host) => new Option(host, host, false, host === chosen)));
    }
    hostSelect.hidden = hosts.length < 2;
    return this.#readings.of(hostSelect.value);
  }
}

function drawCores(box: HTMLElement, percents: readonly number[]): void {
  const count = Math.min(percents.length, MAX_CORES);
  while (box.childElementCount > count) box.lastElementChild?.remove();
  while (box.childElementCount < count) box.append(document.createElement('i'));
  Array.from(box.children).forEach((bar, index) => {
    const level = Math.min(100, Math.max(0, percents[index] ?? 0)) / 100;
    if (bar instanceof HTMLElement) bar.style.setProperty('--level', level.toFixed(3));
  });
}

function describe(reading: HostReading): string {
  const parts = [reading.host];
  if (reading.perCpuPercent.length > 0) parts.push(`${String(reading.perCpuPercent.length)} cores`);
  if (reading.uptimeSeconds !== undefined) parts.push(`up ${formatDuration(reading.uptimeSeconds)}`);
  if (reading.node !== undefined) parts.push(`Node ${reading.node}`);
  if (reading.processRssBytes !== undefined) parts.push(`gateway ${formatBytes(reading.processRssBytes)}`);
  parts.push(`measured ${formatTimeOfDay(reading.measuredAt).slice(0, 8)}`);
  return parts.join(' · ');
}

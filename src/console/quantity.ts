const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** What stands for a number that is not known. */
export const UNKNOWN = '–';

/** A number with `digits` decimals (default 1). */
export function formatNumber(value: number | undefined, digits = 1): string {
  return value === undefined ? UNKNOWN : value.toFixed(digits);
}

/** A number in few characters, e.g. `0.5`, `12`, `3.4 k`, `1.2 M`. */
export function formatCompact(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 999_500) return `${(value / 1e6).toFixed(size < 9.95e6 ? 1 : 0)} M`;
  if (size >= 999.5) return `${(value / 1e3).toFixed(size < 9950 ? 1 : 0)} k`;
  return value.toFixed(size >= 9.95 || Number.isInteger(value) ? 0 : 1);
}

/** A short stretch of time, e.g. `12 ms`, `1.5 s`; a longer one as {@link formatDuration}. */
export function formatMilliseconds(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  if (ms < 999.5) return `${formatCompact(ms)} ms`;
  return ms < 60_000 ? `${formatCompact(Math.round(ms / 100) / 10)} s` : formatDuration(ms / 1000);
}

/** A size in binary units, e.g. `3.2 GiB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return UNKNOWN;
  let unit = 0;
  let value = Math.max(0, bytes);
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${UNITS[unit] ?? ''}`;
}

/** A size in few characters, for an axis, e.g. `512`, `64 K`, `1.5 M`. */
export function formatBytesCompact(bytes: number): string {
  return formatBytes(bytes)
    .replace('.0', '')
    .replace(/ ?(?:i?B)$/, '');
}

/** A stretch of time by its two greatest units, e.g. `3 d 4 h`, `12 min 5 s`. */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = first === -1 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([amount, unit]) => `${String(amount)} ${unit}`).join(' ');
}

/** The local time of day of epoch seconds, to the millisecond; unknown for what is no date. */
export function formatTimeOfDay(epochSeconds: number | undefined): string {
  const date = new Date((epochSeconds ?? Number.NaN) * 1000);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => padded(part, 2))
    .join(':');
  return `${clock}.${padded(date.getMilliseconds(), 3)}`;
}

/** The local date and time of epoch ms, to the minute, e.g. `2026-11-28 21:05`; unknown for what is no date. */
export function formatMoment(epochMs: number | undefined): string {
  const date = new Date(epochMs ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => padded(part, 2));
  const clock = [date.getHours(), date.getMinutes()].map((part) => padded(part, 2));
  return `${day.join('-')} ${clock.join(':')}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

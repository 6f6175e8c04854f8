import { language } from './i18n';

/** A formatter of the present language: making one for every time shown was the largest part of the overview's script. */
function formatter<T>(make: (language: string) => T): () => T {
  const made = new Map<string, T>();
  return () => {
    const code = language();
    let one = made.get(code);
    if (!one) made.set(code, (one = make(code)));
    return one;
  };
}

const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const plainNumber = formatter((code) => new Intl.NumberFormat(code));
const shortNumber = formatter((code) => new Intl.NumberFormat(code, { notation: 'compact', maximumFractionDigits: 1 }));
const distance = formatter((code) => new Intl.RelativeTimeFormat(code, { numeric: 'auto', style: 'narrow' }));
const instant = formatter((code) => new Intl.DateTimeFormat(code, { ...TIME, year: 'numeric', month: 'short', day: 'numeric', timeZoneName: 'short' }));
const timeOfDay = formatter((code) => new Intl.DateTimeFormat(code, TIME));
const dayAndTime = formatter((code) => new Intl.DateTimeFormat(code, { ...TIME, month: 'short', day: 'numeric' }));

/** `1.5 MiB`. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return '–';
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[unit]}`;
}

/** `340 µs`, `12 ms`, `3.4 s`, `2 m 05 s`, `3 h 12 m`, `4 d 02 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 59.95) return `${s.toFixed(s < 9.95 ? 2 : 1)} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  return `${Math.floor(minutes / 1440)} d ${two(Math.floor((minutes % 1440) / 60))} h`;
}

/** `1,234`; `12.3k` when short. */
export function number(n: number | null | undefined, short = false): string {
  if (n === null || n === undefined) return '–';
  return (short ? shortNumber() : plainNumber()).format(n);
}

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : 1)}%`;

/** `5 seconds ago`, `in 3 minutes`: short and in the present language. */
export function relative(at: number, now = Date.now()): string {
  const s = (at - now) / 1000;
  const size = Math.abs(s);
  const format = distance();
  if (size < 1.5) return format.format(0, 'second');
  if (size < 59.5) return format.format(Math.round(s), 'second');
  if (size < 3570) return format.format(Math.round(s / 60), 'minute');
  if (size < 84600) return format.format(Math.round(s / 3600), 'hour');
  if (size < 2_500_000) return format.format(Math.round(s / 86400), 'day');
  return format.format(Math.round(s / 2_629_800), 'month');
}

/** Date and time to the second in the browser's zone, with the zone. */
export const absolute = (at: number): string => instant().format(at);

/** The clock time of today, else with the date. */
export const clock = (at: number): string => (new Date(at).toDateString() === new Date().toDateString() ? timeOfDay() : dayAndTime()).format(at);

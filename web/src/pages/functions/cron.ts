import { language, t } from '../../lib/i18n';

const NAMED: Record<string, string> = { '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@weekly': '0 0 * * 0', '@monthly': '0 0 1 * *', '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *' };
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const two = (n: number) => String(n).padStart(2, '0');

/** A list of single numbers, such as `1,15`; null for anything else. */
const numbers = (field: string): number[] | null => (/^\d+(,\d+)*$/.test(field) ? field.split(',').map(Number) : null);

function dayOf(text: string): number | null {
  const named = DAYS.indexOf(text.toUpperCase());
  if (named >= 0) return named;
  return /^[0-7]$/.test(text) ? Number(text) % 7 : null;
}

function daysOf(field: string): number[] | null {
  const days: number[] = [];
  for (const part of field.split(',')) {
    const [from, to] = part.split('-').map(dayOf);
    if (from === null || from === undefined || to === null) return null;
    for (let day = from; ; day = (day + 1) % 7) {
      days.push(day);
      if (to === undefined || day === to) break;
    }
  }
  return days;
}

const dayName = (day: number) => new Intl.DateTimeFormat(language(), { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2023, 0, 1 + day));
const monthName = (month: number) => new Intl.DateTimeFormat(language(), { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2023, month - 1, 1));
const list = (items: string[]) => new Intl.ListFormat(language(), { type: 'conjunction' }).format(items);

/** When in the day, in words; null when it is not one of the common forms. */
function timeWords(minute: string, hour: string): string | null {
  const every = (field: string) => (field === '*' ? 1 : /^\*\/\d+$/.test(field) ? Number(field.slice(2)) : null);
  const [m, h] = [numbers(minute), numbers(hour)];
  if (m?.length === 1 && h) return t('functions.cron_at', { times: list(h.map((one) => `${two(one)}:${two(m[0]!)}`)) });
  if (every(minute) === 1 && hour === '*') return t('functions.cron_every_minute');
  if (every(minute) !== null && hour === '*') return t('functions.cron_minutes', { n: every(minute)! });
  if (m && hour === '*') return t('functions.cron_hourly', { minutes: list(m.map((one) => `:${two(one)}`)) });
  if (m?.length === 1 && every(hour) !== null) return t('functions.cron_hours', { n: every(hour)!, minute: `:${two(m[0]!)}` });
  return null;
}

/** A schedule in words; null when the words would be harder than the five fields. */
export function cronWords(cron: string): string | null {
  const fields = (NAMED[cron.trim()] ?? cron.trim()).split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const time = timeWords(minute, hour);
  if (!time) return null;
  const parts: string[] = [time];
  if (day !== '*') {
    const days = numbers(day);
    if (!days || weekday !== '*') return null;
    parts.push(t('functions.cron_days', { days: list(days.map(String)) }));
  }
  if (weekday !== '*') {
    const days = daysOf(weekday);
    if (!days) return null;
    parts.push(t('functions.cron_weekdays', { days: weekday.toUpperCase() === 'MON-FRI' || weekday === '1-5' ? t('functions.cron_workdays') : list(days.map(dayName)) }));
  }
  if (month !== '*') {
    const months = numbers(month);
    if (!months) return null;
    parts.push(t('functions.cron_months', { months: list(months.map(monthName)) }));
  }
  if (day === '*' && weekday === '*' && numbers(hour)) parts.push(t('functions.cron_daily'));
  return parts.join(' ');
}

import { useCallback, useMemo } from 'preact/hooks';
import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import type { Series } from '../../lib/types';
import { useNow } from '../../ui/basics';
import { TimeChart } from '../../ui/chart';
import { Choice } from '../../ui/forms';

const MINUTE = 60_000;
const RANGES = { '1h': 60 * MINUTE, '6h': 360 * MINUTE, '24h': 1440 * MINUTE, '7d': 7 * 1440 * MINUTE } as const;
type Range = keyof typeof RANGES;

/** Which span the charts show; it is part of the address. */
export function useRange(): [Range, (range: Range) => void] {
  const [range, setRange] = useQuery('range', '1h');
  return [range in RANGES ? (range as Range) : '1h', setRange];
}

export const RangeChoice = ({ value, onChange }: { value: Range; onChange: (range: Range) => void }) => (
  <Choice label={t('overview.range')} value={value} onChange={onChange} options={(Object.keys(RANGES) as Range[]).map((range) => [range, t(`overview.range_${range}`)])} />
);

const series = (metric: string, from: number, to: number, buckets: number, of?: string) => {
  const query = new URLSearchParams({ metric, from: String(from), to: String(to), buckets: String(buckets) });
  if (of) query.set('function', of);
  return get<Series>(`/api/series?${query}`);
};

type Line = Series['series'][number];

/** A line that is drawn as it is, without a band. */
const plain = (line: Line, name: string, values: Line['mean']): Line => ({ ...line, name, min: values, max: values, mean: values });

// Half of them took no longer, and the longest: two lines tell more than a mean with a band about it.
async function spread(metric: string, from: number, to: number, buckets: number, of?: string): Promise<Series> {
  const got = await series(metric, from, to, buckets, of);
  const all = got.series.find((line) => line.name === metric)!;
  const median = got.series.find((line) => line.name === 'p50')!;
  return { ...got, series: [plain(median, 'p50', median.mean), plain(all, 'max', all.max)] };
}

/** The charts of what ended: how much, how long it ran, how long it waited. They share their cursor. */
export function Trends({ range, of }: { range: Range; of?: string }) {
  const span = RANGES[range];
  // A chart moves on by a part of its span, so that it does not run away under the reader; the server has what is past in memory.
  const step = Math.max(10_000, span / 360);
  const to = Math.ceil(useNow() / step) * step;
  const ended = useCallback(
    async (from: number, until: number, buckets: number): Promise<Series> => {
      const [finished, failed] = await Promise.all([series('finished', from, until, buckets, of), series('failed', from, until, buckets, of)]);
      return { ...finished, series: [...finished.series, ...failed.series] };
    },
    [of],
  );
  const ran = useCallback((from: number, until: number, buckets: number) => spread('duration', from, until, buckets, of), [of]);
  const waited = useCallback((from: number, until: number, buckets: number) => spread('queue_wait', from, until, buckets, of), [of]);
  const names = useMemo(() => ({ finished: t('overview.line_finished'), failed: t('overview.line_failed'), p50: t('overview.line_p50'), max: t('overview.line_max') }), [t('overview.line_max')]);
  const shared = { from: to - span, to, sync: 'overview', names, height: 148 };
  return (
    <div class="trends">
      <TimeChart {...shared} title={t('overview.chart_ended')} unit="count" load={ended} colours={{ finished: 'chart-1', failed: 'chart-2' }} />
      <TimeChart {...shared} title={t('overview.chart_duration')} unit="ms" load={ran} colours={{ p50: 'chart-3', max: 'chart-4' }} />
      <TimeChart {...shared} title={t('overview.chart_wait')} unit="ms" load={waited} colours={{ p50: 'chart-5', max: 'chart-4' }} />
    </div>
  );
}

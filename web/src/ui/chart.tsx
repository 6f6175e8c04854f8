import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { ApiProblem } from '../lib/api';
import { useCell } from '../lib/cell';
import { bytes, clock, duration, number, percent } from '../lib/format';
import { t, useLanguage } from '../lib/i18n';
import { save } from '../lib/save';
import { theme } from '../lib/theme';
import type { Series } from '../lib/types';
import { Problem, Skeleton } from './basics';
import { Menu } from './forms';

export type ChartUnit = 'bytes' | 'ms' | 'share' | 'count';

export interface TimeChartProps {
  title: string;
  unit: ChartUnit;
  /** Asks the server for buckets between two times (Unix ms). */
  load: (from: number, to: number, buckets: number) => Promise<Series>;
  from: number;
  to: number;
  /** Charts with the same name share their cursor. */
  sync?: string;
  height?: number;
  /** Names shown for the series' own. */
  names?: Record<string, string>;
  /** Colours (`chart-1` … `chart-6`) of the series, else in order. */
  colours?: Record<string, string>;
  /** Draws bars instead of lines: for counts. */
  bars?: boolean;
  /** Changes when the newest values should be asked for again. */
  version?: unknown;
}

let library: typeof uPlot | undefined;
const loadLibrary = async () => (library ??= (await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]))[0].default);
const FORMATS: Record<ChartUnit, (value: number | null) => string> = {
  bytes: (v) => bytes(v === null ? null : Math.round(v)),
  ms: duration,
  share: percent,
  count: (v) => (v === null ? '–' : number(v < 10 ? Math.round(v * 100) / 100 : Math.round(v), v >= 10_000)),
};
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Values over time: bucketed by the server, asked for anew at every zoom (drag; a double click goes back). */
export function TimeChart(props: TimeChartProps) {
  useLanguage();
  const shade = useCell(theme);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const [data, setData] = useState<Series | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [from, to] = zoom ?? [props.from, props.to];
  const { load, title, unit, height = 150 } = props;

  useEffect(() => setZoom(null), [props.to - props.from]);
  useEffect(() => {
    let over = false;
    const width = box.current?.clientWidth ?? 600;
    // What draws comes beside what is drawn.
    void loadLibrary();
    load(from, to, Math.max(30, Math.min(600, Math.floor(width / (props.bars ? 8 : 3)))))
      .then((got) => {
        if (over) return;
        setData(got);
        setProblem(null);
      })
      .catch((error: unknown) => {
        if (!over && error instanceof ApiProblem) setProblem(error);
      });
    return () => void (over = true);
  }, [from, to, load, props.bars, props.version]);

  useEffect(() => {
    if (!data || !box.current) return;
    let over = false;
    const target = box.current;
    void loadLibrary().then((UPlot) => {
      if (over) return;
      const left = plot.current?.cursor.left ?? -10;
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(props, data, target.clientWidth, height, (a, b) => setZoom([a, b]), () => setZoom(null)), valuesOf(data, props.bars), target);
      if (left > 0) plot.current.setCursor({ left, top: 10 }, false);
    });
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: target.clientWidth, height }));
    sized.observe(target);
    return () => {
      over = true;
      sized.disconnect();
    };
  }, [data, shade, height, unit, props.sync]);
  useEffect(() => () => plot.current?.destroy(), []);

  const saveAs = (ending: string, blob: Blob) => {
    const url = URL.createObjectURL(blob);
    save(url, `${title.replace(/\W+/g, '-').toLowerCase()}.${ending}`);
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <figure class="chart">
      <figcaption class="row">
        <strong class="grow cut">{title}</strong>
        {zoom && (
          <button type="button" class="link small" onClick={() => setZoom(null)}>
            {t('ui.zoom_out')}
          </button>
        )}
        <Menu
          label={t('ui.chart_menu', { title })}
          items={[
            { name: t('ui.export_png'), icon: 'download', run: () => plot.current?.ctx.canvas.toBlob((blob) => blob && saveAs('png', blob)) },
            { name: t('ui.export_csv'), icon: 'download', run: () => data && saveAs('csv', new Blob([csvOf(data)], { type: 'text/csv' })) },
          ]}
        />
      </figcaption>
      {problem && <Problem of={problem} />}
      <div ref={box} class="plot" style={{ height: `${height}px` }} role="img" aria-label={summaryOf(title, data, unit, props.names)}>
        {!data && !problem && <Skeleton rows={4} />}
      </div>
    </figure>
  );
}

const namesOf = (data: Series, names?: Record<string, string>) => data.series.map((one) => names?.[one.name] ?? one.name);

function valuesOf(data: Series, bars?: boolean): uPlot.AlignedData {
  const times = Array.from({ length: data.series[0]?.mean.length ?? 0 }, (_, i) => (data.from + i * data.step_ms) / 1000);
  return [times, ...data.series.flatMap((one) => (bars ? [one.mean] : [one.max, one.min, one.mean]))] as uPlot.AlignedData;
}

function optionsOf(props: TimeChartProps, data: Series, width: number, height: number, zoomTo: (a: number, b: number) => void, zoomOut: () => void): uPlot.Options {
  const show = FORMATS[props.unit];
  const names = namesOf(data, props.names);
  const colour = (i: number) => css(props.colours?.[data.series[i]!.name] ?? `chart-${(i % 6) + 1}`);
  const series: uPlot.Series[] = [{ value: (_, s) => (s == null ? '' : clock(s * 1000)), label: '' }];
  const bands: uPlot.Band[] = [];
  data.series.forEach((_, i) => {
    const line: uPlot.Series = { label: names[i], stroke: colour(i), width: 1.5, points: { show: !props.bars, size: 5, width: 0, fill: colour(i), filter: alone }, value: (_u, v, _i, at) => (at == null ? '' : show(v)), spanGaps: false };
    if (props.bars) {
      series.push({ ...line, fill: `${colour(i)}cc`, width: 0, paths: barPaths });
      return;
    }
    // The least and the greatest of each bucket are a band about the mean: a peak is never averaged away.
    const edge: uPlot.Series = { label: '', stroke: 'transparent', width: 0, points: { show: false }, show: true };
    bands.push({ series: [series.length, series.length + 1], fill: `${colour(i)}33` });
    series.push({ ...edge, class: 'edge' } as uPlot.Series, { ...edge, class: 'edge' } as uPlot.Series, line);
  });
  const axis = { stroke: css('ink-3'), grid: { stroke: css('line'), width: 1 }, ticks: { show: false }, font: `11px ${css('font')}` };
  return {
    width,
    height,
    padding: [6, 8, 0, 0],
    series,
    bands,
    legend: { show: true, live: true },
    cursor: { drag: { x: true, y: false, setScale: false }, sync: props.sync ? { key: props.sync, setSeries: false } : undefined, points: { size: 6 }, bind: { dblclick: () => () => (zoomOut(), null) } },
    scales: { x: { min: data.from / 1000, max: data.to / 1000 }, y: { range: (_, min, max) => [Math.min(0, min ?? 0), (max ?? 0) > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, size: 24, values: (_, splits) => splits.map((s) => clock(s * 1000).replace(/:00$/, '')) },
      { ...axis, size: 58, values: (_, splits) => splits.map((v) => show(v)) },
    ],
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          zoomTo(Math.round(u.posToVal(u.select.left, 'x') * 1000), Math.round(u.posToVal(u.select.left + u.select.width, 'x') * 1000));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

// A value with none beside it makes no line, and would not be seen.
const alone: uPlot.Series.Points.Filter = (u, i) => {
  const values = u.data[i]!;
  return Array.from(values.keys()).filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
};

let bars: uPlot.Series.PathBuilder | undefined;
const barPaths: uPlot.Series.PathBuilder = (u, i, from, to) => {
  bars ??= library!.paths.bars!({ size: [0.8, 20], align: 1 });
  return bars(u, i, from, to);
};

function csvOf(data: Series): string {
  const head = ['time', ...data.series.flatMap((one) => ['min', 'max', 'mean', 'count'].map((kind) => `${one.name}_${kind}`))];
  const rows = (data.series[0]?.mean ?? []).map((_, i) => [new Date(data.from + i * data.step_ms).toISOString(), ...data.series.flatMap((one) => [one.min[i], one.max[i], one.mean[i], one.count[i]].map((v) => v ?? ''))]);
  return [head, ...rows].map((row) => row.join(',')).join('\n') + '\n';
}

// What a reader who does not see the drawing hears.
function summaryOf(title: string, data: Series | null, unit: ChartUnit, names?: Record<string, string>): string {
  if (!data) return title;
  const parts = data.series.map((one, i) => {
    const last = one.mean.findLast((v) => v !== null);
    const most = one.max.reduce<number | null>((a, b) => (b !== null && (a === null || b > a) ? b : a), null);
    return t('ui.chart_summary', { name: namesOf(data, names)[i]!, last: FORMATS[unit](last ?? null), most: FORMATS[unit](most) });
  });
  return `${title}: ${parts.join('; ')}`;
}

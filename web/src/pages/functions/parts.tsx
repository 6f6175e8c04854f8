import type { ComponentChildren } from 'preact';
import { State, type Tone } from '../../ui/basics';
import { percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { shareOf, type ActivityView, type FunctionView } from './types';

/** How a function does: a dot and a word. */
export function stateOf(f: FunctionView): [Tone, string] {
  if (!f.live) return ['off', t('functions.state_none')];
  if (f.running > 0) return ['run', t('functions.state_running')];
  if (f.waiting > 0) return ['wait', t('functions.state_waiting')];
  const last = f.last_run?.state;
  if (last === 'FAILED' || last === 'UNKNOWN') return ['bad', t('functions.state_failing')];
  return last ? ['ok', t('functions.state_ok')] : ['off', t('functions.state_new')];
}

export const FunctionState = ({ of, soft }: { of: FunctionView; soft?: boolean }) => {
  const [tone, word] = stateOf(of);
  return <State tone={tone} word={word} soft={soft} />;
};

/** The last day in 48 bars: what succeeded, and above it what did not. */
export function DayBars({ of, height = 20, width = 96 }: { of: ActivityView; height?: number; width?: number }) {
  const most = Math.max(1, ...of.good.map((good, i) => good + of.bad[i]!));
  const step = width / of.good.length;
  const size = (n: number) => (n === 0 ? 0 : Math.max(1.5, (n / most) * (height - 1)));
  const words = t('functions.day_words', { good: of.succeeded, bad: of.failed + of.unknown });
  return (
    <svg class="day-bars" viewBox={`0 0 ${width} ${height}`} width={width} height={height} preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      <path class="floor" d={`M0 ${height - 0.5}H${width}`} />
      {of.good.map((good, i) => {
        const bad = size(of.bad[i]!);
        const tall = size(good);
        return (
          <g key={i}>
            {tall > 0 && <rect class="good" x={i * step} width={step - 0.6} y={height - tall} height={tall} />}
            {bad > 0 && <rect class="bad" x={i * step} width={step - 0.6} y={Math.max(0, height - tall - bad)} height={bad} />}
          </g>
        );
      })}
    </svg>
  );
}

/** The share that succeeded, in a colour that says whether that is well. */
export function Share({ of }: { of: ActivityView | null | undefined }) {
  const share = shareOf(of);
  if (share === null) return <span class="faint">–</span>;
  return <span class={share > 0.99 ? 'good-word' : share > 0.9 ? 'fair-word' : 'bad-word'}>{percent(share)}</span>;
}

/** Where callers go: the live version, and a canary's part. */
export function Aims({ of }: { of: FunctionView }) {
  if (!of.live) return <span class="faint">–</span>;
  return (
    <span class="row aims">
      <span class="tag">v{of.live_number}</span>
      {of.canary && <span class="tag canary">{t('functions.canary_share', { share: of.canary.percent })}</span>}
    </span>
  );
}

/** A note beside what it explains. */
export const Note = ({ children }: { children: ComponentChildren }) => <p class="quiet small">{children}</p>;

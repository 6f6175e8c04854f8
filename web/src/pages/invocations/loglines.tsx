import type { Ref } from 'preact';
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { absolute } from '../../lib/format';
import { t } from '../../lib/i18n';
import { navigate } from '../../lib/router';
import { colourOf, markFound, parseAnsi, readLine, type Piece } from './ansi';
import type { LogStore } from './logstore';

const LINE_PX = 19;
// Browsers lose count beyond some 16 million pixels: a longer log scrolls by less than a line's height a line.
const MOST_PX = 8_000_000;
const OVERSCAN = 8;

/** What the bar above can ask of the lines. */
export interface LinesHandle {
  show: (line: number) => void;
  toEnd: () => void;
  first: () => number;
}

interface Props {
  handle: Ref<LinesHandle>;
  store: LogStore;
  follow: boolean;
  wrap: boolean;
  marker: RegExp | null;
  /** The line of the address. */
  target: number | null;
  /** The line of the present hit. */
  hit: number | undefined;
  onEnd: (atEnd: boolean) => void;
}

/** The lines in view: of a million there are never more than fit. */
export function LogLines({ handle, store, follow, wrap, marker, target, hit, onEnd }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  const lastTop = useRef(0);
  const fit = wrap ? 1 : Math.max(1, Math.floor(view.height / LINE_PX));
  const steps = Math.max(0, store.total - fit);
  const px = steps * LINE_PX > MOST_PX ? MOST_PX / steps : LINE_PX;
  const spacer = steps * px + view.height;
  const place = Math.min(steps, view.top / px);
  const first = Math.floor(place);
  const atEnd = steps === 0 || view.top >= steps * px - 2;
  const bottom = wrap && atEnd && steps > 0;
  const shown = Math.ceil(view.height / LINE_PX) + OVERSCAN;
  const from = bottom ? Math.max(0, store.total - shown) : first;
  const to = Math.min(store.total, from + shown);

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const sized = new ResizeObserver(measure);
    sized.observe(element);
    return () => sized.disconnect();
  }, []);
  useEffect(() => store.want(Math.max(0, from - 100), Math.min(store.total, to + 100)), [store, from, to, store.total]);

  const show = useCallback(
    (line: number) => {
      const element = box.current!;
      element.scrollTop = Math.max(0, line - Math.floor(element.clientHeight / LINE_PX / 3)) * px;
      setView({ top: element.scrollTop, height: element.clientHeight });
    },
    [px],
  );
  const toEnd = useCallback(() => {
    const element = box.current!;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
    setView({ top: element.scrollTop, height: element.clientHeight });
  }, []);
  useImperativeHandle(handle, () => ({ show, toEnd, first: () => first }), [show, toEnd, first]);
  useLayoutEffect(() => {
    if (follow) toEnd();
  }, [follow, store.total, wrap, view.height, toEnd]);
  const went = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (target === null || target >= store.total || went.current === target || view.height === 0) return;
    went.current = target;
    show(target);
  }, [target, store.total, show, view.height]);

  const onScroll = () => {
    const element = box.current!;
    const up = element.scrollTop < lastTop.current - 1;
    lastTop.current = element.scrollTop;
    setView({ top: element.scrollTop, height: element.clientHeight });
    if (up) onEnd(false);
    else if (element.scrollTop + element.clientHeight >= element.scrollHeight - 2) onEnd(true);
  };
  const digits = String(store.total).length;
  const rows = [];
  for (let n = from; n < to; n++) rows.push(<Line key={n} number={n} text={store.line(n)} marker={marker} marked={n === target || n === hit} />);
  return (
    <div ref={box} class={`log${wrap ? ' wrap' : ''}`} role="log" aria-label={t('invocations.log')} aria-live="off" tabIndex={0} onScroll={onScroll} style={{ '--digits': `${digits}ch` } as never}>
      <div class="spacer" style={{ height: `${spacer}px` }}>
        <div class={`window${bottom ? ' bottom' : ''}`} style={bottom ? { top: `${view.top}px`, height: `${view.height}px` } : { top: `${Math.max(0, view.top - (place - first) * LINE_PX)}px` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}

function Line({ number, text, marker, marked }: { number: number; text: string | undefined; marker: RegExp | null; marked: boolean }) {
  const line = text === undefined ? null : readLine(text);
  return (
    <div class={`line${marked ? ' marked' : ''} ${line?.stream ?? ''}`}>
      {/* Not a link of its own: lines are lower than what a finger meets, and whoever has no mouse goes to a line by its number. */}
      <span class="no" title={t('invocations.line', { n: number + 1 })} onClick={() => navigate(`${location.pathname}${location.search}#L${number + 1}`, { replace: true, keepScroll: true })}>
        {number + 1}
      </span>
      {line === null ? (
        <span class="bone" />
      ) : (
        <>
          {line.time !== undefined && (
            <time title={`${absolute(line.time)} · ${t('invocations.attempt_n', { n: line.attempt! })} · ${line.stream}`}>
              {timeOf(line.time)}
            </time>
          )}
          <span class="text">
            {markFound(parseAnsi(line.text), marker).map((piece, i) => (
              <Span key={i} of={piece} />
            ))}
          </span>
        </>
      )}
    </div>
  );
}

const two = (n: number) => String(n).padStart(2, '0');
const timeOf = (ms: number): string => {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
};

function Span({ of: piece }: { of: Piece & { found?: boolean } }) {
  const [fg, bg] = piece.inverse ? [piece.bg ?? 'var(--code)', piece.fg ?? 'var(--ink)'] : [piece.fg, piece.bg];
  if (!piece.found && fg === undefined && bg === undefined && !piece.bold && !piece.dim && !piece.italic && !piece.underline && !piece.strike) return <>{piece.text}</>;
  const style = {
    color: piece.found ? undefined : colourOf(fg),
    backgroundColor: piece.found ? undefined : colourOf(bg),
    fontWeight: piece.bold ? 650 : undefined,
    opacity: piece.dim ? 0.72 : undefined,
    fontStyle: piece.italic ? 'italic' : undefined,
    textDecoration: [piece.underline && 'underline', piece.strike && 'line-through'].filter(Boolean).join(' ') || undefined,
  };
  return piece.found ? <mark style={style}>{piece.text}</mark> : <span style={style}>{piece.text}</span>;
}

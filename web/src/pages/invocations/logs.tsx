import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes, number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useKeys } from '../../lib/keys';
import { liveState, watch } from '../../lib/live';
import { navigate, setQuery, usePlace } from '../../lib/router';
import { Button, Empty, Problem, Skeleton } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { LogLines, type LinesHandle } from './loglines';
import './log.css';
import { LogStore, markerOf, type Find } from './logstore';

const LOOK_MS = 1000;
const LOOK_LIVE_MS = 4000;
const TYPING_MS = 150;

const lineOf = (hash: string): number | null => {
  const found = /^#L(\d+)$/.exec(hash);
  return found ? Number(found[1]) - 1 : null;
};

/** The log of an invocation: any number of lines, with search, colours and following. */
export function Logs({ id, over }: { id: string; over: boolean }) {
  const { query, hash } = usePlace();
  const [, render] = useState(0);
  const store = useMemo(() => new LogStore(id, () => render((n) => n + 1)), [id]);
  const target = lineOf(hash);
  const [follow, setFollow] = useState(!over && target === null);
  const [wrap, setWrap] = useState(false);
  const lines = useRef<LinesHandle>(null);
  const [at, setAt] = useState(-1);

  useEffect(() => () => store.end(), [store]);
  useFollowing(store, id, over);

  const find = useMemo<Find | null>(() => (query.get('q') ? { text: query.get('q')!, regex: query.get('regex') === '1', matchCase: query.get('case') === '1' } : null), [query.get('q'), query.get('regex'), query.get('case')]);
  useEffect(() => {
    setAt(-1);
    store.search(find);
  }, [store, find]);
  const marker = useMemo(() => markerOf(find), [find]);

  const jump = useCallback(
    (step: number) => {
      const { hits } = store;
      if (hits.length === 0) return;
      const here = lines.current?.first() ?? 0;
      // The first jump goes from what is in view.
      const from = at >= 0 ? at + step : step > 0 ? Math.max(0, hits.findIndex((hit) => hit.line >= here)) : hits.findLastIndex((hit) => hit.line <= here);
      const next = (from + hits.length) % hits.length;
      setAt(next);
      setFollow(false);
      lines.current?.show(hits[next]!.line);
    },
    [store, at],
  );
  const toggleFollow = () => {
    setFollow(!follow);
    if (!follow) lines.current?.toEnd();
  };
  useKeys(t('invocations.log'), {
    f: { run: toggleFollow, label: t('invocations.follow') },
    w: { run: () => setWrap(!wrap), label: t('invocations.wrap') },
    n: { run: () => jump(1), label: t('invocations.next_hit') },
    N: { run: () => jump(-1), label: t('invocations.previous_hit') },
    Home: { run: () => (setFollow(false), lines.current?.show(0)), label: t('keys.first') },
    End: { run: () => lines.current?.toEnd(), label: t('keys.last') },
  });
  const onEnd = useCallback((atEnd: boolean) => setFollow((before) => (atEnd ? before || !over : false)), [over]);
  return (
    <section class="card flush fill logs" aria-label={t('invocations.log')}>
      <header class="log-bar">
        <LogSearch find={find} store={store} at={at} onJump={jump} />
        <span class="grow" />
        <span class="faint small">{store.known && `${t('invocations.lines', { n: store.total })} · ${bytes(store.bytes)}`}</span>
        <Button small kind={follow ? 'primary' : 'quiet'} keys="f" aria-pressed={follow} onClick={toggleFollow}>
          {t('invocations.follow')}
        </Button>
        <Button small kind={wrap ? 'primary' : 'quiet'} keys="w" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          {t('invocations.wrap')}
        </Button>
        <a class="button quiet small" href={`/api/invocations/${id}/logs`} download={`${id}.log`} title={t('invocations.download_log')}>
          <Icon name="download" size={14} />
          <span>{t('invocations.download')}</span>
        </a>
      </header>
      <Problem of={store.problem} retry={() => void store.look()} />
      {!store.known ? (
        !store.problem && <Skeleton rows={12} />
      ) : store.total === 0 ? (
        <Empty title={over ? t('invocations.log_empty') : t('invocations.log_empty_yet')} icon="file">
          {t('invocations.log_empty_text')}
        </Empty>
      ) : (
        <LogLines handle={lines} store={store} follow={follow} wrap={wrap} marker={marker} target={target} hit={at >= 0 ? store.hits[at]?.line : undefined} onEnd={onEnd} />
      )}
    </section>
  );
}

// Told of new lines by the stream; looked for besides, because a hint may be lost.
function useFollowing(store: LogStore, id: string, over: boolean): void {
  useEffect(() => {
    let soon: ReturnType<typeof setTimeout> | undefined;
    let stop = () => {};
    let ended = false;
    void store.look().then(() => {
      if (ended || store.ended) return;
      stop = watch([`log:${id}@${store.bytes}`], (event) => {
        if (event.name !== 'log' && event.name !== 'more') return;
        soon ??= setTimeout(() => {
          soon = undefined;
          void store.look();
        }, 120);
      });
    });
    let last = 0;
    const timer = setInterval(() => {
      if (document.hidden || store.ended || Date.now() - last < (liveState.get().state === 'live' ? LOOK_LIVE_MS : LOOK_MS)) return;
      last = Date.now();
      void store.look();
    }, LOOK_MS / 2);
    return () => {
      ended = true;
      clearTimeout(soon);
      clearInterval(timer);
      stop();
    };
  }, [store, id, over]);
}

// `:123` in the search goes to a line.
const LINE = /^:([1-9]\d{0,11})$/;

function LogSearch({ find, store, at, onJump }: { find: Find | null; store: LogStore; at: number; onJump: (step: number) => void }) {
  const [text, setText] = useState(find?.text ?? '');
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const type = (value: string) => {
    setText(value);
    clearTimeout(typing.current);
    if (!LINE.test(value)) typing.current = setTimeout(() => setQuery({ q: value }), TYPING_MS);
  };
  const enter = (back: boolean) => {
    const line = LINE.exec(text);
    if (line) navigate(`${location.pathname}?tab=logs#L${line[1]}`, { replace: true, keepScroll: true });
    else onJump(back ? -1 : 1);
  };
  const { hits, searching, findProblem } = store;
  const count = number(hits.length);
  return (
    <div class="row log-search">
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          value={text}
          placeholder={t('invocations.search_log')}
          aria-label={t('invocations.search_log')}
          spellcheck={false}
          onInput={(event) => type(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.isComposing) enter(event.shiftKey);
            else if (event.key === 'Escape') {
              if (text) type('');
              else event.currentTarget.blur();
            } else return;
            event.preventDefault();
          }}
        />
      </label>
      <Button small kind={find?.regex || (!find && new URLSearchParams(location.search).get('regex') === '1') ? 'primary' : 'quiet'} aria-pressed={!!find?.regex} label={t('invocations.regex')} onClick={() => setQuery({ regex: find?.regex ? null : '1' })}>
        .*
      </Button>
      <Button small kind={find?.matchCase ? 'primary' : 'quiet'} aria-pressed={!!find?.matchCase} label={t('invocations.match_case')} onClick={() => setQuery({ case: find?.matchCase ? null : '1' })}>
        Aa
      </Button>
      {find && (
        <>
          <span class={`small hits ${findProblem ? 'bad' : 'quiet'}`} role="status">
            {findProblem ? findProblem.detail : searching ? t('invocations.searching', { n: count }) : at >= 0 ? t('invocations.hit_of', { at: number(at + 1), n: count }) : t('invocations.hits', { n: hits.length })}
          </span>
          <Button small kind="quiet" icon="up" label={t('invocations.previous_hit')} disabled={hits.length === 0} onClick={() => onJump(-1)} />
          <Button small kind="quiet" icon="down" label={t('invocations.next_hit')} disabled={hits.length === 0} onClick={() => onJump(1)} />
        </>
      )}
    </div>
  );
}

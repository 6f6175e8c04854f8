import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../lib/i18n';
import { watch } from '../../lib/live';
import { getAhead } from '../../lib/resource';
import { Link } from '../../lib/router';
import type { InvocationView, Page } from '../../lib/types';
import { duration } from '../../lib/format';
import { Button, Card, Problem, Skeleton, State, Time } from '../../ui/basics';
import { NEWEST, NEWEST_SHOWN } from '../invocations/filter';
import { Ran } from './cards';

const newest = (rows: Iterable<InvocationView>): InvocationView[] => [...rows].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, NEWEST_SHOWN);

/** What happens, as it happens. While somebody points at it or is within it nothing moves: states change in place, and what is new waits. */
export function Activity() {
  const [rows, setRows] = useState<InvocationView[] | null>(null);
  const [waiting, setWaiting] = useState<InvocationView[]>([]);
  const [problem, setProblem] = useState<Error | null>(null);
  const held = useRef(false);
  const known = useRef(new Map<string, InvocationView>());

  const load = useCallback(async () => {
    try {
      const page = await getAhead<Page<InvocationView>>(NEWEST);
      for (const row of page.items) known.current.set(row.id, row);
      setRows((before) => (before && held.current ? before.map((row) => known.current.get(row.id) ?? row) : newest(page.items)));
      setProblem(null);
    } catch (error) {
      setProblem(error as Error);
    }
  }, []);

  useEffect(() => {
    void load();
    let again: ReturnType<typeof setTimeout> | undefined;
    const end = watch(['invocations'], (event) => {
      if (event.name === 'more') {
        // Too much for a list to follow: the newest, about once a second.
        again ??= setTimeout(() => {
          again = undefined;
          void load();
        }, 1000);
        return;
      }
      const row = event.data as InvocationView;
      setRows((before) => {
        if (!before) return before;
        if (before.some((one) => one.id === row.id)) return before.map((one) => (one.id === row.id ? row : one));
        if (!held.current) return newest([row, ...before]);
        setWaiting((more) => newest([row, ...more.filter((one) => one.id !== row.id)]));
        return before;
      });
    });
    return () => {
      clearTimeout(again);
      end();
    };
  }, [load]);

  const release = useCallback(() => {
    held.current = false;
    setWaiting((more) => {
      if (more.length > 0) setRows((before) => newest([...more, ...(before ?? []).filter((row) => !more.some((one) => one.id === row.id))]));
      return [];
    });
  }, []);
  const hold = () => void (held.current = true);

  return (
    <Card
      title={t('overview.activity')}
      flush
      class="activity"
      actions={
        <>
          {waiting.length > 0 && (
            <Button small kind="quiet" onClick={release}>
              {t('overview.new_rows', { n: waiting.length })}
            </Button>
          )}
          <Link class="small" to="/invocations">
            {t('overview.all')}
          </Link>
        </>
      }
    >
      {problem && !rows ? <Problem of={problem} retry={() => void load()} /> : null}
      {!rows && !problem && <Skeleton rows={8} />}
      {rows && (
        <ul class="lines" onPointerEnter={hold} onPointerLeave={release} onFocusIn={hold} onFocusOut={release}>
          {rows.map((row) => (
            <li key={row.id}>
              <Link to={`/invocations/${row.id}`} class="line">
                <State of={row.state} />
                <span class="grow cut">
                  <strong>{row.function}</strong> <span class="faint mono">{row.id}</span>
                </span>
                <span class="faint num">{row.finished_at ? duration(row.duration_ms) : <Ran from={row.started_at} />}</span>
                <span class="faint when num">
                  <Time at={row.finished_at ?? row.started_at ?? row.created_at} />
                </span>
              </Link>
            </li>
          ))}
          {rows.length === 0 && <li class="none">{t('overview.no_activity')}</li>}
        </ul>
      )}
    </Card>
  );
}

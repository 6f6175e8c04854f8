import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import type { Page, Schema } from '../../lib/types';
import { Button, Card, Empty, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Choice, Search } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';

type Line = Schema['AuditViewPageView']['items'][number];
const DAY_MS = 86_400_000;
const SPANS: Record<string, number> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, all: 0 };
const PAGE = 100;

/** Who changed what, the newest first. */
export function Audit() {
  const [text, setText] = useQuery('q');
  const [who, setWho] = useQuery('who');
  const [span, setSpan] = useQuery('span', 'week');
  const [lines, setLines] = useState<readonly Line[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const asked = useRef(0);

  const load = useCallback(
    async (cursor: string | null) => {
      const mine = ++asked.current;
      const length = SPANS[span] ?? 0;
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (text) query.set('text', text);
      if (who) query.set('who', who);
      if (length) query.set('from', new Date(Date.now() - length).toISOString());
      if (cursor) query.set('cursor', cursor);
      setBusy(true);
      try {
        const page = await get<Page<Line>>(`/api/audit?${query}`);
        if (mine !== asked.current) return;
        setLines((before) => (cursor ? [...(before ?? []), ...page.items] : page.items));
        setNext(page.next ?? null);
        setProblem(null);
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        if (mine === asked.current) setProblem(error);
      }
      setBusy(false);
    },
    [text, who, span],
  );
  useEffect(() => {
    const soon = setTimeout(() => void load(null), 150);
    return () => clearTimeout(soon);
  }, [load]);

  const columns: Column<Line>[] = [
    { key: 'at', title: t('settings.when'), width: '108px', render: (one) => <Time at={one.at} /> },
    {
      key: 'who', title: t('settings.who'), width: 'minmax(84px, 1fr)',
      render: (one) => (
        <button type="button" class="link cut" title={t('settings.only_who', { name: one.who })} onClick={() => setWho(who === one.who ? '' : one.who)}>
          {one.who}
        </button>
      ),
    },
    { key: 'action', title: t('settings.action'), width: 'minmax(150px, 2.4fr)', render: (one) => <code class="cut" title={one.action}>{one.action}</code> },
    { key: 'subject', title: t('settings.subject'), width: 'minmax(100px, 1.6fr)', hide: 560, render: (one) => <span class="cut" title={one.subject}>{one.subject || '–'}</span> },
    { key: 'status', title: t('settings.answer'), width: '86px', render: (one) => <State tone={one.status < 400 ? 'ok' : one.status < 500 ? 'wait' : 'bad'} word={`${one.status}`} /> },
    { key: 'how', title: t('settings.how'), width: '120px', hide: 860, render: (one) => <span class="cut quiet" title={one.how}>{one.how}</span> },
    { key: 'address', title: t('settings.address'), width: '120px', hide: 980, render: (one) => <span class="cut quiet">{one.address}</span> },
  ];
  return (
    <>
      <div class="row wrap">
        <Search value={text} onChange={setText} placeholder={t('settings.filter_audit')} />
        <Choice label={t('settings.span')} value={span} options={[['day', t('settings.day')], ['week', t('settings.week')], ['month', t('settings.month')], ['all', t('settings.all_time')]]} onChange={(value) => setSpan(value)} />
        {who && (
          <Button small icon="close" onClick={() => setWho('')}>
            {who}
          </Button>
        )}
        <span class="grow" />
        <Button icon="retry" busy={busy && lines !== null} onClick={() => void load(null)}>
          {t('settings.look_again')}
        </Button>
      </div>
      {problem && <Problem of={problem} retry={() => void load(null)} />}
      <Card flush>
        {lines === null ? problem ? null : <Skeleton /> : lines.length === 0 ? (
          <Empty title={t('settings.no_lines')} icon="file" command="dure audit">
            {t('settings.no_lines_text')}
          </Empty>
        ) : (
          <Table label={t('settings.tab_audit')} columns={columns} items={lines} keyOf={(one) => String(one.id)} />
        )}
      </Card>
      {next && (
        <div class="row settings-more">
          <Button busy={busy} onClick={() => void load(next)}>
            {t('settings.older')}
          </Button>
        </div>
      )}
    </>
  );
}

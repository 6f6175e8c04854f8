import { useState } from 'preact/hooks';
import { get, send } from '../../lib/api';
import { useCell } from '../../lib/cell';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { Link, navigate, useQuery } from '../../lib/router';
import { Button, Empty, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Choice, Tabs, toast } from '../../ui/forms';
import { Page } from '../../ui/page';
import { desktop } from './bell';
import './notifications.css';
import { Rules } from './rules';
import type { Delivery, Inbox, Notification_ } from './types';
import { channelWord, linkOf, titleOf, toneOf } from './words';

const PAGE = 50;

/** What happened that one wanted to be told, and what one wants to be told. */
export default function Notifications() {
  useLanguage();
  const [tab] = useQuery('tab', 'inbox');
  const [only, setOnly] = useQuery('show', 'all');
  const path = `/api/notifications?limit=${PAGE}${only === 'unread' ? '&unread=true' : ''}`;
  const inbox = useResource<Inbox>(path, { topics: ['notifications'], every: 20_000 });
  const [older, setOlder] = useState<{ path: string; items: Notification_[]; next?: string | null }>({ path, items: [] });
  const more = older.path === path && older.items.length > 0 ? older : { path, items: [], next: inbox.data?.next };
  const first = inbox.data?.items ?? [];
  const items = [...first, ...more.items.filter((one) => !first.some((other) => other.id === one.id))];
  const unread = inbox.data?.unread ?? 0;
  const mark = async (ids?: string[]) => {
    try {
      const now = await send<{ unread: number }>('POST', '/api/notifications/read', { ids });
      const read = (one: Notification_) => (!ids || ids.includes(one.id) ? { ...one, read: true } : one);
      inbox.put((data) => ({ ...data, unread: now.unread, items: data.items.map(read) }));
      setOlder((before) => ({ ...before, items: before.items.map(read) }));
    } catch (error) {
      toast((error as Error).message, 'bad');
    }
  };
  const loadMore = async () => {
    const next = more.next ?? items.at(-1)?.id;
    const page = await get<Inbox>(`${path}&cursor=${next}`);
    setOlder({ path, items: [...more.items, ...page.items], next: page.next });
  };
  return (
    <Page
      title={t('nav.notifications')}
      tab={`${unread ? `(${unread}) ` : ''}${t('nav.notifications')}`}
      tabs={
        <Tabs
          label={t('nav.notifications')}
          current={tab}
          tabs={[
            { id: 'inbox', title: t('notifications.inbox'), count: unread || undefined, to: '/notifications' },
            { id: 'rules', title: t('notifications.rules'), to: '/notifications?tab=rules' },
          ]}
        />
      }
      actions={<DesktopButton />}
      command={tab === 'rules' ? 'dure notify list' : 'dure notify inbox'}
      at={inbox.at}
    >
      {tab === 'rules' ? (
        <Rules />
      ) : (
        <div class="stack">
          <div class="row wrap">
            <Choice label={t('notifications.show')} value={only as 'all' | 'unread'} options={[['all', t('notifications.all')], ['unread', t('notifications.unread')]]} onChange={setOnly} />
            <span class="grow" />
            {unread > 0 && <Button icon="check" onClick={() => void mark()}>{t('notifications.mark_all')}</Button>}
          </div>
          <Problem of={inbox.problem} retry={inbox.reload} />
          {inbox.loading && <Skeleton />}
          {items.length > 0 && (
            <ul class="inbox">
              {items.map((one) => (
                <Message key={one.id} of={one} onRead={() => void mark([one.id])} />
              ))}
            </ul>
          )}
          {more.next && items.length > 0 && <Button onClick={() => void loadMore()}>{t('notifications.older')}</Button>}
          {inbox.data && items.length === 0 && (
            <Empty title={only === 'unread' ? t('notifications.none_unread') : t('notifications.none')} icon="notifications" command={['dure notify add failed', 'dure notify when-ends INVOCATION']} actions={<Button onClick={() => navigate('/notifications?tab=rules')}>{t('notifications.choose')}</Button>}>
              {t('notifications.none_text')}
            </Empty>
          )}
        </div>
      )}
    </Page>
  );
}

function Message({ of: one, onRead }: { of: Notification_; onRead: () => void }) {
  return (
    <li class={one.read ? 'read' : ''}>
      <State tone={toneOf(one)} word={t(`notifications.event_${one.event}`)} />
      <div class="grow what">
        <Link to={linkOf(one)} onClick={() => !one.read && onRead()}>
          {titleOf(one)}
        </Link>
        {one.detail && <span class="quiet detail">{one.detail}</span>}
        {one.deliveries && (
          <span class="row wrap sent">
            {one.deliveries.map((delivery, i) => (
              <Sent key={i} of={delivery} />
            ))}
          </span>
        )}
      </div>
      <span class="faint when"><Time at={one.last_at} /></span>
      {one.read ? <span class="hold" /> : <Button kind="quiet" small icon="check" label={t('notifications.mark', { title: titleOf(one) })} onClick={onRead} />}
    </li>
  );
}

const Sent = ({ of: one }: { of: Delivery }) => (
  <span class="small" title={one.error ?? undefined}>
    <State tone={one.state === 'sent' ? 'ok' : one.state === 'given_up' ? 'bad' : one.error ? 'wait' : 'off'} word={`${channelWord(one)}: ${t(`notifications.delivery_${one.state}`)}${one.error ? ` (${one.error})` : ''}`} />
  </span>
);

function DesktopButton() {
  const on = useCell(desktop);
  if (!('Notification' in window)) return null;
  const active = on && Notification.permission === 'granted';
  const toggle = async () => {
    if (active) return desktop.set(false);
    const answer = await Notification.requestPermission();
    desktop.set(answer === 'granted');
    toast(answer === 'granted' ? t('notifications.desktop_on_now') : t('notifications.desktop_refused'), answer === 'granted' ? 'ok' : 'bad');
  };
  return <Button icon={active ? 'check' : 'notifications'} aria-pressed={active} onClick={() => void toggle()}>{t('notifications.desktop')}</Button>;
}

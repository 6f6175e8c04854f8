import { useEffect } from 'preact/hooks';
import { keptCell } from '../../lib/cell';
import { t, useLanguage } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import { navigate, Link } from '../../lib/router';
import { Icon } from '../../ui/icons';
import './bell.css';
import type { Inbox } from './types';
import { linkOf, titleOf } from './words';

/** Whether this browser shows what is new on the desktop. */
export const desktop = keptCell('dure.desktop', false);

// Of messages before this, none is shown on the desktop: they are old.
let since = '';

/** How many messages are unread; leads to them. What comes while the page is open is shown on the desktop, where that is wanted. */
export function Bell() {
  useLanguage();
  const inbox = useResource<Inbox>('/api/notifications?unread=true&limit=10', { topics: ['notifications'], every: 20_000 });
  const unread = inbox.data?.unread ?? 0;
  const newest = inbox.data?.items[0]?.id ?? '';
  useEffect(() => {
    if (!inbox.data) return;
    const fresh = since === '' ? [] : inbox.data.items.filter((one) => one.id > since);
    since = newest > since ? newest : since || '0';
    if (!desktop.get() || !('Notification' in window) || Notification.permission !== 'granted') return;
    for (const one of fresh.slice(0, 3)) {
      const shown = new Notification(titleOf(one), { body: one.detail, tag: one.id, icon: '/mark.svg' });
      shown.onclick = () => {
        window.focus();
        navigate(linkOf(one));
        shown.close();
      };
    }
  }, [newest]);
  return (
    <Link to="/notifications" class="button quiet bare bell" aria-label={unread ? t('notifications.bell_unread', { n: unread }) : t('notifications.bell')} title={unread ? t('notifications.bell_unread', { n: unread }) : t('notifications.bell')}>
      <Icon name="notifications" size={17} />
      {unread > 0 && <span class="bell-count" aria-hidden="true">{unread > 99 ? '99+' : unread}</span>}
    </Link>
  );
}

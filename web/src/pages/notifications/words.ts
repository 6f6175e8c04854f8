import { t } from '../../lib/i18n';
import type { Tone } from '../../ui/basics';
import type { Channel, EventName, Notification_ } from './types';

const TONES: Record<EventName, Tone> = { failed: 'bad', finished: 'ok', recovered: 'ok', schedule_missed: 'wait', disk_low: 'wait', worker_lost: 'bad', replication_behind: 'wait', ended: 'run', test: 'off' };

const stateOf = (one: Notification_): string => one.detail.split(':')[0]!;

export const toneOf = (one: Notification_): Tone => (one.event === 'ended' ? (stateOf(one) === 'SUCCESS' ? 'ok' : stateOf(one) === 'CANCELLED' ? 'off' : 'bad') : TONES[one.event]);

/** What happened, in a line of the present language. */
export function titleOf(one: Notification_): string {
  const args = { name: one.subject, n: one.count };
  switch (one.event) {
    case 'failed': return t('notifications.did_fail', args);
    case 'finished': return t('notifications.did_finish', args);
    case 'recovered': return t('notifications.did_recover', args);
    case 'schedule_missed': return t('notifications.did_miss', args);
    case 'disk_low': return t('notifications.did_fill');
    case 'worker_lost': return t('notifications.did_lose', args);
    case 'replication_behind': return t('notifications.did_lag', args);
    case 'ended': return t('notifications.did_end', { name: one.subject, state: t(`state.${stateOf(one).toLowerCase()}` as never) });
    default: return t('notifications.did_test');
  }
}

/** Where it leads. */
export function linkOf(one: Notification_): string {
  if (one.invocation) return `/invocations/${one.invocation}`;
  switch (one.event) {
    case 'schedule_missed': return `/functions/${encodeURIComponent(one.subject)}`;
    case 'worker_lost': return '/workers';
    case 'replication_behind': return '/storage/replication';
    case 'disk_low': return '/';
    default: return '/notifications';
  }
}

export const channelWord = (one: Channel): string => (one.target ? `${t(`notifications.by_${one.kind}`)} ${one.target}` : t('notifications.by_portal'));

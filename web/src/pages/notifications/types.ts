import type { Schema } from '../../lib/types';

// The document says `string` where only these words occur.
export type EventName = 'failed' | 'finished' | 'recovered' | 'schedule_missed' | 'disk_low' | 'worker_lost' | 'replication_behind' | 'ended' | 'test';
type Kind = 'portal' | 'email' | 'webhook' | 'slack';
type Item = Schema['InboxView']['items'][number];

export type Channel = Partial<Schema['NotifyChannel']> & { kind: Kind };
export type Delivery = NonNullable<Item['deliveries']>[number] & { kind: Kind; state: 'waiting' | 'sent' | 'given_up' };
export type Notification_ = Omit<Item, 'deliveries'> & { event: EventName; deliveries?: Delivery[] | null };
export type Inbox = Omit<Schema['InboxView'], 'items'> & { items: Notification_[] };
export type Rule = Omit<Schema['NotifyRuleView'], 'channels'> & { event: EventName; channels: Channel[] };
export type Watch = Omit<Schema['NotifyWatchView'], 'channels'> & { channels: Channel[] };
export type Channels = Omit<Schema['NotifyChannelsView'], 'events'> & { events: EventName[] };

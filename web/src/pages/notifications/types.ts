export interface Channel {
  kind: 'portal' | 'email' | 'webhook' | 'slack';
  target?: string;
}

export interface Delivery {
  kind: Channel['kind'];
  target: string;
  state: 'waiting' | 'sent' | 'given_up';
  tries: number;
  error?: string;
  at?: string;
}

export type EventName = 'failed' | 'finished' | 'recovered' | 'schedule_missed' | 'disk_low' | 'worker_lost' | 'replication_behind' | 'ended' | 'test';

export interface Notification_ {
  id: string;
  event: EventName;
  subject: string;
  invocation?: string;
  detail: string;
  count: number;
  first_at: string;
  last_at: string;
  title: string;
  read: boolean;
  deliveries?: Delivery[];
}

export interface Inbox {
  items: Notification_[];
  next?: string;
  unread: number;
}

export interface Rule {
  id: string;
  event: EventName;
  function?: string;
  channels: Channel[];
  created_at: string;
}

export interface Watch {
  id: string;
  invocation: string;
  channels: Channel[];
  created_at: string;
}

export interface Channels {
  email: boolean;
  events: EventName[];
  gather_s: number;
}

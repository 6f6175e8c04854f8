import type { FunctionComponent } from 'preact';
import type { TextKey } from './lib/i18n';
import { Bell } from './pages/notifications/bell';
import type { IconName } from './ui/icons';

/** A page: where it is, and how it is loaded when first opened. Parts of the path (`:name`, `*rest`) are its properties. */
export interface Route {
  path: string;
  load: () => Promise<{ default: FunctionComponent<any> }>;
}

/** An entry of the navigation. `jump`: the key after `g`. */
export interface NavItem {
  path: string;
  title: TextKey;
  icon: IconName;
  jump: string;
}

/** Every page, the more special path first. Another slice adds its lines here (docs/checklists/add-a-page.md). */
export const ROUTES: readonly Route[] = [
  { path: '/storage', load: () => import('./pages/storage/buckets') },
  { path: '/storage/replication', load: () => import('./pages/storage/replication') },
  { path: '/storage/keys', load: () => import('./pages/storage/keys') },
  { path: '/storage/:bucket/*prefix', load: () => import('./pages/storage/bucket') },
  { path: '/notifications', load: () => import('./pages/notifications/notifications') },
];

/** The navigation, in its order; phones show the first four and a menu. */
export const NAV: readonly NavItem[] = [
  { path: '/', title: 'nav.overview', icon: 'overview', jump: 'o' },
  { path: '/functions', title: 'nav.functions', icon: 'functions', jump: 'f' },
  { path: '/invocations', title: 'nav.invocations', icon: 'invocations', jump: 'i' },
  { path: '/workers', title: 'nav.workers', icon: 'workers', jump: 'w' },
  { path: '/storage', title: 'nav.storage', icon: 'storage', jump: 's' },
  { path: '/notifications', title: 'nav.notifications', icon: 'notifications', jump: 'n' },
  { path: '/settings', title: 'nav.settings', icon: 'settings', jump: 'e' },
];

/** What stands in the top bar of every page, such as the bell. */
export const TOPBAR: readonly FunctionComponent[] = [Bell];

import type { FunctionComponent } from 'preact';
import type { TextKey } from './lib/i18n';
import { Invite } from './pages/settings/invite';
import { apiOf } from './pages/functions/types';
import { firstPage, NEWEST } from './pages/invocations/filter';
import { Bell } from './pages/notifications/bell';
import type { IconName } from './ui/icons';

/** A page: where it is, and how it is loaded when first opened. Parts of the path (`:name`, `*rest`) are its properties. */
export interface Route {
  path: string;
  load: () => Promise<{ default: FunctionComponent<any> }>;
  /** What it asks for first when its address has no query: asked for while its script is still on the way. Given the parts of the path. */
  asks?: (parts: Record<string, string>) => string[];
}

/** An entry of the navigation. `jump`: the key after `g`. */
export interface NavItem {
  path: string;
  title: TextKey;
  icon: IconName;
  jump: string;
}

const functionOf = ({ name }: Record<string, string>): string[] => [apiOf(name!)];

/** Every page, the more special path first. Another slice adds its lines here (docs/checklists/add-a-page.md). */
export const ROUTES: readonly Route[] = [
  { path: '/functions', load: () => import('./pages/functions/list'), asks: () => ['/api/functions'] },
  { path: '/functions/new', load: () => import('./pages/functions/editor') },
  { path: '/functions/:name/edit', load: () => import('./pages/functions/editor') },
  { path: '/functions/:name', load: () => import('./pages/functions/function'), asks: functionOf },
  { path: '/functions/:name/:tab', load: () => import('./pages/functions/function'), asks: functionOf },
  { path: '/', load: () => import('./pages/overview/overview'), asks: () => ['/api/overview', NEWEST] },
  { path: '/workers', load: () => import('./pages/workers/workers'), asks: () => ['/api/workers'] },
  { path: '/invocations', load: () => import('./pages/invocations/list'), asks: () => [firstPage('')] },
  { path: '/invocations/:id', load: () => import('./pages/invocations/run'), asks: ({ id }) => [`/api/invocations/${encodeURIComponent(id!)}`] },
  { path: '/invocations/:id/compare', load: () => import('./pages/invocations/compare') },
  { path: '/invocations/:id/compare/:other', load: () => import('./pages/invocations/compare') },
  { path: '/settings/:tab', load: () => import('./pages/settings/settings') },
  { path: '/settings', load: () => import('./pages/settings/settings') },
  { path: '/storage', load: () => import('./pages/storage/buckets'), asks: () => ['/api/storage/buckets', '/api/storage/status'] },
  { path: '/storage/replication', load: () => import('./pages/storage/replication'), asks: () => ['/api/storage/status'] },
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
export const TOPBAR: readonly FunctionComponent[] = [Bell, Invite];

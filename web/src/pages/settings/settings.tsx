import type { FunctionComponent } from 'preact';
import { may, session } from '../../lib/api';
import { t } from '../../lib/i18n';
import { Empty } from '../../ui/basics';
import { Tabs } from '../../ui/forms';
import { Page } from '../../ui/page';
import { Account } from './account';
import { Audit } from './audit';
import { Health } from './health';
import { People } from './people';
import { Secrets } from './secrets';
import { Sessions } from './sessions';
import { Tokens } from './tokens';
import './settings.css';

interface Part {
  id: string;
  View: FunctionComponent;
  command: string;
  owners?: boolean;
}

const PARTS: readonly Part[] = [
  { id: 'account', View: Account, command: 'dure user passwd NAME' },
  { id: 'people', View: People, command: 'dure user list', owners: true },
  { id: 'tokens', View: Tokens, command: 'dure token list' },
  { id: 'sessions', View: Sessions, command: 'dure signin' },
  { id: 'secrets', View: Secrets, command: 'dure secrets list' },
  { id: 'audit', View: Audit, command: 'dure audit', owners: true },
  { id: 'health', View: Health, command: 'dure status' },
];

/** Settings: one's account, people, tokens, sessions, secrets, the audit trail, and how the server is. */
export default function Settings({ tab = 'account' }: { tab?: string }) {
  const parts = PARTS.filter((part) => !part.owners || may('admin'));
  const part = parts.find((one) => one.id === tab);
  return (
    <Page
      title={t('nav.settings')}
      tab={part ? `${t(`settings.tab_${part.id}` as 'settings.tab_account')} · ${t('nav.settings')}` : undefined}
      command={part?.command.replace('NAME', session.get()?.user.name ?? '')}
      tabs={<Tabs label={t('nav.settings')} current={tab} tabs={parts.map((one) => ({ id: one.id, title: t(`settings.tab_${one.id}` as 'settings.tab_account'), to: `/settings/${one.id}` }))} />}
    >
      {part ? <part.View key={part.id} /> : <Empty title={t('settings.not_yours')} icon="key">{t('settings.not_yours_text')}</Empty>}
    </Page>
  );
}

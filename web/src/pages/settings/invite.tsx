import { session } from '../../lib/api';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/i18n';
import { ButtonLink } from '../../ui/basics';

/** Who is signed in, as the settings know it. */
export interface Me {
  name: string;
  display_name: string;
  role: 'owner' | 'member' | 'viewer';
  password?: boolean;
  provider?: string;
  email?: string;
}

export const me = (): Me | undefined => session.get()?.user as Me | undefined;

/** Whether whoever is signed in should be asked to set a password: nobody else can vouch for them. */
export const lacksPassword = (user: Me | undefined): boolean => user?.password === false && !user.provider;

/** In the top bar until the owner of a fresh server has a password. */
export function Invite() {
  useCell(session);
  return lacksPassword(me()) ? (
    <ButtonLink to="/settings/account" icon="key" small>
      {t('settings.invite')}
    </ButtonLink>
  ) : null;
}

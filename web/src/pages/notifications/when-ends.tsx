import { useState } from 'preact/hooks';
import { send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useResource } from '../../lib/resource';
import type { Page } from '../../lib/types';
import { Button } from '../../ui/basics';
import { toast } from '../../ui/forms';
import type { Watch } from './types';

/** "Tell me when this ends": for the page of one invocation that has not ended. */
export function WhenEnds({ invocation }: { invocation: string }) {
  const watches = useResource<Page<Watch>>('/api/notifications/watches');
  const [busy, setBusy] = useState(false);
  const mine = watches.data?.items.find((one) => one.invocation === invocation);
  const toggle = async () => {
    setBusy(true);
    try {
      if (mine) await send('DELETE', `/api/notifications/watches/${mine.id}`);
      else await send('POST', '/api/notifications/watches', { invocation });
      toast(mine ? t('notifications.told_no_more') : t('notifications.will_tell'));
      await watches.reload();
    } catch (error) {
      toast((error as Error).message, 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon={mine ? 'check' : 'notifications'} busy={busy} aria-pressed={!!mine} onClick={() => void toggle()}>
      {mine ? t('notifications.waiting_for_end') : t('notifications.when_ends')}
    </Button>
  );
}

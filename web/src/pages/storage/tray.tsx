import { useState } from 'preact/hooks';
import { useCell } from '../../lib/cell';
import { bytes, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Bar, Button, Problem, State, type Tone } from '../../ui/basics';
import { cancel, clearEnded, retry, uploads, type UploadItem } from './uploads';
import { baseName } from './places';

const TONES: Record<UploadItem['state'], Tone> = { waiting: 'wait', sending: 'run', done: 'ok', failed: 'bad', cancelled: 'off' };

/** What is on its way into buckets: progress, cancel, retry. */
export function Tray() {
  const all = useCell(uploads);
  const [open, setOpen] = useState(true);
  if (all.length === 0) return null;
  const left = all.filter((one) => one.state === 'waiting' || one.state === 'sending').length;
  const failed = all.filter((one) => one.state === 'failed').length;
  const size = all.reduce((sum, one) => sum + (one.state === 'cancelled' ? 0 : one.size), 0);
  const sent = all.reduce((sum, one) => sum + (one.state === 'cancelled' ? 0 : one.sent), 0);
  const share = size === 0 ? (left ? 0 : 1) : sent / size;
  const shown = [...all].sort((a, b) => rank(a) - rank(b)).slice(0, 100);
  return (
    <section class="tray" aria-label={t('storage.uploads')}>
      <header class="row">
        <strong class="grow cut" role="status">
          {left ? t('storage.uploading', { n: left }) : failed ? t('storage.upload_failed', { n: failed }) : t('storage.uploaded', { n: all.filter((one) => one.state === 'done').length })}
        </strong>
        <span class="faint small">{left ? percent(share) : bytes(sent)}</span>
        {!left && <Button kind="quiet" small icon="close" label={t('storage.clear')} onClick={clearEnded} />}
        <Button kind="quiet" small icon={open ? 'down' : 'up'} label={open ? t('storage.fold') : t('storage.unfold')} aria-expanded={open} onClick={() => setOpen(!open)} />
      </header>
      <Bar share={share} tone={failed ? 'bad' : 'run'} label={t('storage.uploads')} />
      {open && (
        <ul>
          {shown.map((one) => (
            <li key={one.id}>
              <div class="row">
                <span class="grow cut" title={`s3://${one.bucket}/${one.key}`}>
                  {baseName(one.key)}
                </span>
                <span class="faint small">{one.state === 'sending' ? `${bytes(one.sent)} / ${bytes(one.size)}` : bytes(one.size)}</span>
                <State tone={TONES[one.state]} word={t(`storage.upload_${one.state}` as never)} />
                {(one.state === 'waiting' || one.state === 'sending') && <Button kind="quiet" small icon="close" label={t('storage.cancel_upload', { name: baseName(one.key) })} onClick={() => cancel(one.id)} />}
                {(one.state === 'failed' || one.state === 'cancelled') && <Button kind="quiet" small icon="retry" label={t('storage.retry_upload', { name: baseName(one.key) })} onClick={() => retry(one.id)} />}
              </div>
              {one.problem && <Problem of={one.problem} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const rank = (one: UploadItem): number => ({ failed: 0, sending: 1, waiting: 2, cancelled: 3, done: 4 })[one.state];

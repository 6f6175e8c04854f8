import { useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { absolute } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button, Command, Copy, Problem } from '../../ui/basics';
import { Choice, Dialog, Field } from '../../ui/forms';
import { api, baseName } from './places';

interface LinkView {
  url: string;
  method: string;
  expires_at: string;
  access_key_id: string;
}

const SPANS = ['900', '3600', '86400', '604800'] as const;

/** An address by which whoever has it reads, or writes, one object for a while. */
export function LinkDialog({ bucket, name, version, onClose }: { bucket: string; name: string; version?: string; onClose: () => void }) {
  const [method, setMethod] = useState<'GET' | 'PUT'>('GET');
  const [span, setSpan] = useState<(typeof SPANS)[number]>('3600');
  const [made, setMade] = useState<LinkView | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setMade(await send<LinkView>('POST', api(bucket, 'link'), { key: name, method, expires_in_s: Number(span), version_id: method === 'GET' ? version : undefined }));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const command = made && (made.method === 'PUT' ? `curl -T FILE '${made.url}'` : `curl -o '${baseName(name).replace(/'/g, '_')}' '${made.url}'`);
  return (
    <Dialog title={t('storage.share_title', { name: baseName(name) })} open onClose={onClose} actions={<><Button onClick={onClose}>{t('ui.close')}</Button><Button kind="primary" icon="link" busy={busy} onClick={() => void make()}>{made ? t('storage.link_again') : t('storage.link_make')}</Button></>}>
      {may('deploy') && <Choice label={t('storage.link_for')} value={method} options={[['GET', t('storage.link_get')], ['PUT', t('storage.link_put')]]} onChange={(value) => { setMethod(value); setMade(null); }} />}
      <Choice label={t('storage.link_span')} value={span} options={SPANS.map((one) => [one, t(`storage.span_${one}`)] as const)} onChange={(value) => { setSpan(value); setMade(null); }} />
      <p class="quiet small">{t('storage.link_text')}</p>
      <Problem of={problem} />
      {made && (
        <>
          <Field label={t('storage.link')}>{(id) => <span class="row"><input id={id} class="mono grow" readOnly value={made.url} onFocus={(e) => e.currentTarget.select()} /><Copy text={made.url} label={t('storage.copy_link')} /></span>}</Field>
          <p class="small quiet">{t('storage.link_until', { time: absolute(Date.parse(made.expires_at)), key: made.access_key_id })}</p>
          <Command text={command!} />
        </>
      )}
    </Dialog>
  );
}

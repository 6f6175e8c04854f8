import { useState } from 'preact/hooks';
import { ApiProblem, may, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import { useResource } from '../../lib/resource';
import type { Page } from '../../lib/types';
import { Button, Card, Empty, Problem, Skeleton, Time } from '../../ui/basics';
import { Confirm, Dialog, Field, Search, toast } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';

interface Secret {
  name: string;
  updated_at: string;
  owner: string;
}

/** Secrets: values go in and never come out. */
export function Secrets() {
  const secrets = useResource<Page<Secret>>('/api/secrets?limit=1000');
  const [filter, setFilter] = useQuery('q');
  const [setting, setSetting] = useState<string | null>(null);
  const [removing, setRemoving] = useState<Secret | null>(null);
  const items = (secrets.data?.items ?? []).filter((one) => one.name.toLowerCase().includes(filter.toLowerCase()));
  const add = may('deploy') && (
    <Button kind="primary" icon="plus" onClick={() => setSetting('')}>
      {t('settings.set_secret')}
    </Button>
  );
  const columns: Column<Secret>[] = [
    { key: 'name', title: t('settings.name'), width: 'minmax(140px, 2fr)', render: (one) => <code class="cut">{one.name}</code> },
    { key: 'value', title: t('settings.value'), width: '110px', hide: 480, render: () => <span class="faint" title={t('settings.value_hidden')}>••••••••</span> },
    { key: 'owner', title: t('settings.set_by'), width: '120px', hide: 480, render: (one) => <span class="cut">{one.owner}</span> },
    { key: 'at', title: t('settings.changed'), width: '110px', render: (one) => <Time at={one.updated_at} /> },
    {
      key: 'do', title: '', width: '84px', align: 'right',
      render: (one) => may('deploy') && (
        <span class="row">
          <Button kind="quiet" small icon="edit" label={t('settings.replace_of', { name: one.name })} onClick={() => setSetting(one.name)} />
          <Button kind="quiet" small icon="trash" label={t('settings.remove_of', { name: one.name })} onClick={() => setRemoving(one)} />
        </span>
      ),
    },
  ];
  return (
    <>
      <div class="row wrap">
        <Search value={filter} onChange={setFilter} placeholder={t('settings.filter_secrets')} />
        <span class="grow" />
        {add}
      </div>
      {secrets.problem && <Problem of={secrets.problem} retry={() => void secrets.reload()} />}
      <Card flush>
        {secrets.loading ? <Skeleton rows={4} /> : secrets.data?.items.length === 0 ? (
          <Empty title={t('settings.no_secrets')} icon="key" command="dure secrets set API_KEY" actions={add}>
            {t('settings.no_secrets_text')}
          </Empty>
        ) : (
          <Table label={t('settings.tab_secrets')} columns={columns} items={items} keyOf={(one) => one.name} />
        )}
      </Card>
      <SetSecret name={setting} onClose={() => setSetting(null)} onSet={() => void secrets.reload()} />
      <Confirm
        title={t('settings.remove_of', { name: removing?.name ?? '' })}
        word={t('settings.remove')}
        open={!!removing}
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          try {
            await send('DELETE', `/api/secrets/${encodeURIComponent(removing!.name)}`);
            toast(t('settings.removed', { name: removing!.name }));
          } catch (error) {
            toast(error instanceof ApiProblem ? error.detail : String(error), 'bad');
          }
          await secrets.reload();
        }}
      >
        <p>{t('settings.remove_secret_text')}</p>
      </Confirm>
    </>
  );
}

function SetSecret({ name, onClose, onSet }: { name: string | null; onClose: () => void; onSet: () => void }) {
  const [typed, setTyped] = useState('');
  const [value, setValue] = useState('');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const fault = (where: string) => problem?.faults.find((one) => one.where === where)?.what;
  const close = () => {
    setTyped('');
    setValue('');
    setProblem(null);
    onClose();
  };
  const save = async () => {
    setBusy(true);
    try {
      await send('PUT', `/api/secrets/${encodeURIComponent(name || typed)}`, { value });
      toast(t('settings.secret_set', { name: name || typed }));
      onSet();
      close();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
    setBusy(false);
  };
  return (
    <Dialog title={name ? t('settings.replace_of', { name }) : t('settings.set_secret')} open={name !== null} onClose={close} actions={<><Button onClick={close}>{t('ui.cancel')}</Button><Button kind="primary" busy={busy} disabled={!(name || typed) || !value} onClick={() => void save()}>{t('ui.save')}</Button></>}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void save(); }}>
        {!name && <Field label={t('settings.name')} hint={t('settings.secret_name_rule')} fault={fault('name')} value={typed} onInput={(e: InputEvent) => setTyped((e.currentTarget as HTMLInputElement).value.toUpperCase())} autocomplete="off" spellcheck={false} autofocus />}
        <Field label={t('settings.value')} hint={t('settings.value_hint')} fault={fault('value')}>
          {(id) => <textarea id={id} rows={4} value={value} autocomplete="off" spellcheck={false} onInput={(e) => setValue(e.currentTarget.value)} />}
        </Field>
        {problem && problem.faults.length === 0 && <Problem of={problem} />}
      </form>
    </Dialog>
  );
}

import { useState } from 'preact/hooks';
import { ApiProblem, send } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useQuery } from '../../lib/router';
import { useResource } from '../../lib/resource';
import type { Page, Schema } from '../../lib/types';
import { Button, Card, Copy, Facts, Problem, Skeleton, State, Time } from '../../ui/basics';
import { Confirm, Dialog, Field, Search, toast } from '../../ui/forms';
import { Table, type Column } from '../../ui/table';

type Person = Schema['PersonView'];
type Role = 'owner' | 'member' | 'viewer';
const ROLES: readonly Role[] = ['owner', 'member', 'viewer'];

const roleTone = (role: string) => (role === 'owner' ? 'run' : role === 'member' ? 'ok' : 'off');

/** Who may sign in. */
export function People() {
  const people = useResource<Page<Person>>('/api/people?limit=1000', { every: 30_000 });
  const [filter, setFilter] = useQuery('q');
  const [opened, setOpened] = useQuery('person');
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Person | null>(null);
  const [link, setLink] = useState<Schema['LinkView'] | null>(null);
  const [setting, setSetting] = useState<Person | null>(null);

  async function change(person: Person, what: object, said: string): Promise<void> {
    try {
      await send('PATCH', `/api/people/${encodeURIComponent(person.name)}`, what);
      toast(said);
    } catch (error) {
      toast(error instanceof ApiProblem ? error.detail || error.title : String(error), 'bad');
    }
    await people.reload();
  }

  const items = (people.data?.items ?? []).filter((one) => `${one.name} ${one.display_name} ${one.email ?? ''} ${one.role}`.toLowerCase().includes(filter.toLowerCase()));
  const columns: Column<Person>[] = [
    {
      key: 'name', title: t('settings.name'), width: 'minmax(150px, 2fr)',
      render: (one) => (
        <span class="cut">
          <strong>{one.name}</strong> {one.display_name !== one.name && <span class="quiet">{one.display_name}</span>}
        </span>
      ),
    },
    { key: 'role', title: t('settings.role'), width: '100px', render: (one) => <State tone={roleTone(one.role)} word={t(`shell.role_${one.role as Role}`)} /> },
    { key: 'email', title: t('settings.email'), width: 'minmax(120px, 1.5fr)', hide: 760, render: (one) => <span class="cut quiet">{one.email ?? '–'}</span> },
    { key: 'by', title: t('settings.signs_in_by'), width: '130px', hide: 620, render: (one) => one.provider ?? (one.password ? t('settings.by_password') : t('settings.by_link')) },
    { key: 'seen', title: t('settings.seen'), width: '110px', hide: 480, render: (one) => <Time at={one.last_seen_at} /> },
    { key: 'state', title: t('settings.state'), width: '96px', render: (one) => <State tone={one.disabled_at ? 'bad' : 'ok'} word={one.disabled_at ? t('settings.disabled') : t('settings.enabled')} /> },
  ];

  return (
    <>
      <div class="row wrap">
        <Search value={filter} onChange={setFilter} placeholder={t('settings.filter_people')} />
        <span class="grow" />
        <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
          {t('settings.add_person')}
        </Button>
      </div>
      {people.problem && <Problem of={people.problem} retry={() => void people.reload()} />}
      <Card flush>{people.loading ? <Skeleton /> : <Table label={t('settings.tab_people')} columns={columns} items={items} keyOf={(one) => one.name} onOpen={(one) => setOpened(one.name, true)} />}</Card>
      <PersonDialog
        of={(people.data?.items ?? []).find((one) => one.name === opened) ?? null}
        onClose={() => setOpened('')}
        change={change}
        onPassword={(one) => { setOpened(''); setSetting(one); }}
        onLink={(made) => { setOpened(''); setLink(made); }}
        onRemove={(one) => { setOpened(''); setRemoving(one); }}
        reload={people.reload}
      />
      <AddPerson open={adding} onClose={() => setAdding(false)} onAdded={(made) => { setLink(made); void people.reload(); }} />
      <SetPassword of={setting} onClose={() => setSetting(null)} />
      <Dialog title={t('settings.link_title')} open={!!link} onClose={() => setLink(null)}>
        <p>{t('settings.link_text', { name: link?.name ?? '' })}</p>
        <p class="settings-once">
          <code>{link?.url}</code> <Copy text={link?.url ?? ''} />
        </p>
      </Dialog>
      <Confirm
        title={t('settings.remove_title', { name: removing?.name ?? '' })}
        word={t('settings.remove')}
        open={!!removing}
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          try {
            await send('DELETE', `/api/people/${encodeURIComponent(removing!.name)}`);
            toast(t('settings.removed', { name: removing!.name }));
          } catch (error) {
            toast(error instanceof ApiProblem ? error.detail : String(error), 'bad');
          }
          await people.reload();
        }}
      >
        <p>{t('settings.remove_text')}</p>
      </Confirm>
    </>
  );
}

interface PersonDialogProps {
  of: Person | null;
  onClose: () => void;
  change: (person: Person, what: object, said: string) => Promise<void>;
  onPassword: (person: Person) => void;
  onLink: (link: Schema['LinkView']) => void;
  onRemove: (person: Person) => void;
  reload: () => Promise<void>;
}

/** One person, and all that can be done about them. */
function PersonDialog({ of, onClose, change, onPassword, onLink, onRemove, reload }: PersonDialogProps) {
  if (!of) return null;
  const path = `/api/people/${encodeURIComponent(of.name)}`;
  const failed = (error: unknown) => toast(error instanceof ApiProblem ? error.detail || error.title : String(error), 'bad');
  return (
    <Dialog title={of.display_name || of.name} open onClose={onClose}>
      <div class="stack">
        <Facts
          items={[
            [t('settings.name'), of.name],
            [t('settings.email'), of.email],
            [t('settings.signs_in_by'), of.provider ?? (of.password ? t('settings.by_password') : t('settings.by_link'))],
            [t('settings.made'), <Time at={of.created_at} />],
            [t('settings.seen'), <Time at={of.last_seen_at} />],
            [t('settings.tab_sessions'), String(of.sessions)],
          ]}
        />
        <Field label={t('settings.role')} hint={t(`settings.role_${of.role as Role}`)}>
          {(id) => (
            <select id={id} value={of.role} onChange={(e) => void change(of, { role: e.currentTarget.value }, t('settings.role_changed', { name: of.name }))}>
              {ROLES.map((one) => (
                <option key={one} value={one}>
                  {t(`shell.role_${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <div class="row wrap">
          <Button icon="key" onClick={() => onPassword(of)}>{t('settings.set_password')}</Button>
          {!of.disabled_at && <Button icon="link" onClick={() => void send<Schema['LinkView']>('POST', `${path}/link`).then(onLink, failed)}>{t('settings.make_link')}</Button>}
          {of.sessions > 0 && <Button icon="out" onClick={() => void send('DELETE', `${path}/sessions`).then(() => { toast(t('settings.others_ended')); void reload(); }, failed)}>{t('settings.end_sessions')}</Button>}
          {of.disabled_at
            ? <Button icon="check" onClick={() => void change(of, { disabled: false }, t('settings.enabled_now', { name: of.name }))}>{t('settings.enable')}</Button>
            : <Button kind="danger" icon="stop" onClick={() => void change(of, { disabled: true }, t('settings.disabled_now', { name: of.name }))}>{t('settings.disable')}</Button>}
          <Button kind="danger" icon="trash" onClick={() => onRemove(of)}>{t('settings.remove')}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function AddPerson({ open, onClose, onAdded }: { open: boolean; onClose: () => void; onAdded: (link: Schema['LinkView'] | null) => void }) {
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('member');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const fault = (where: string) => problem?.faults.find((one) => one.where === where)?.what;
  const on = (put: (value: string) => void) => (e: InputEvent) => put((e.currentTarget as HTMLInputElement).value);

  async function add(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await send('POST', '/api/people', { name, role, ...(display ? { display_name: display } : {}), ...(email ? { email } : {}) });
      const link = await send<Schema['LinkView']>('POST', `/api/people/${encodeURIComponent(name)}/link`);
      setName('');
      setDisplay('');
      setEmail('');
      onClose();
      onAdded(link);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
    setBusy(false);
  }

  return (
    <Dialog
      title={t('settings.add_person')}
      open={open}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button kind="primary" busy={busy} disabled={!name} onClick={() => void add()}>
            {t('settings.add_and_link')}
          </Button>
        </>
      }
    >
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void add(); }}>
        <Field label={t('settings.name')} hint={t('settings.name_rule')} fault={fault('name')} value={name} onInput={on(setName)} autocomplete="off" autocapitalize="none" spellcheck={false} autofocus required />
        <Field label={t('settings.display_name')} fault={fault('display_name')} value={display} onInput={on(setDisplay)} autocomplete="off" />
        <Field label={t('settings.email')} hint={t('settings.email_hint')} fault={fault('email')} type="email" value={email} onInput={on(setEmail)} autocomplete="off" />
        <Field label={t('settings.role')} hint={t(`settings.role_${role}`)}>
          {(id) => (
            <select id={id} value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
              {ROLES.map((one) => (
                <option key={one} value={one}>
                  {t(`shell.role_${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        {problem && problem.faults.length === 0 && <Problem of={problem} />}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

function SetPassword({ of, onClose }: { of: Person | null; onClose: () => void }) {
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const close = () => {
    setPassword('');
    setProblem(null);
    onClose();
  };
  const save = async () => {
    try {
      await send('PUT', `/api/people/${encodeURIComponent(of!.name)}/password`, { password });
      toast(t('settings.password_set'));
      close();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
  };
  return (
    <Dialog title={t('settings.password_of', { name: of?.name ?? '' })} open={!!of} onClose={close} actions={<><Button onClick={close}>{t('ui.cancel')}</Button><Button kind="primary" disabled={!password} onClick={() => void save()}>{t('ui.save')}</Button></>}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <Field label={t('settings.new_password')} hint={t('settings.password_rule')} fault={problem?.faults[0]?.what} type="password" autocomplete="new-password" value={password} onInput={(e: InputEvent) => setPassword((e.currentTarget as HTMLInputElement).value)} autofocus />
        {problem && problem.faults.length === 0 && <Problem of={problem} />}
      </form>
    </Dialog>
  );
}

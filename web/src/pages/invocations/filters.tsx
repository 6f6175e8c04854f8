import { useEffect, useRef, useState } from 'preact/hooks';
import { number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { setQuery } from '../../lib/router';
import { Button, State } from '../../ui/basics';
import { Search } from '../../ui/forms';
import { RANGES, TRIGGERS, isNarrowed, type Filter } from './filter';
import { STATES, type Facet, type Facets } from './types';

const TYPING_MS = 60;

/** What narrows the list: everything stands in the address, so that a link shows the same. */
export function Filters({ filter, facets }: { filter: Filter; facets: Facets | null }) {
  const [text, setText] = useState(filter.text);
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const sent = useRef(filter.text);
  useEffect(() => {
    // Only what others put there: what was typed here is in the field already, and by now perhaps more of it.
    const now = new URLSearchParams(location.search).get('text') ?? '';
    if (now === sent.current) return;
    sent.current = now;
    clearTimeout(typing.current);
    typing.current = undefined;
    setText(now);
  }, [filter.text]);
  const send = (value: string) => {
    sent.current = value;
    setQuery({ text: value });
  };
  // The first letter is looked for at once, the others when they stop coming.
  const search = (value: string) => {
    setText(value);
    const isTyping = typing.current !== undefined;
    clearTimeout(typing.current);
    typing.current = setTimeout(() => {
      typing.current = undefined;
      if (sent.current !== value) send(value);
    }, TYPING_MS);
    if (!isTyping) send(value);
  };
  return (
    <div class="stack tight">
      <div class="row wrap filters">
        <Search value={text} onChange={search} placeholder={t('invocations.filter')} />
        <Pick label={t('invocations.function')} value={filter.fn} all={t('invocations.any_function')} options={facets?.functions ?? []} onChange={(v) => setQuery({ function: v, version: null })} />
        {filter.fn && <VersionField value={filter.version} />}
        <Pick label={t('invocations.who')} value={filter.owner} all={t('invocations.anyone')} options={facets?.owners ?? []} onChange={(v) => setQuery({ owner: v })} />
        <Pick
          label={t('invocations.trigger')}
          value={filter.triggers.join(',')}
          all={t('invocations.any_trigger')}
          options={TRIGGERS.map((value) => ({ value, count: -1 }))}
          nameOf={(value) => value.split(',').map((one) => t(`invocations.trigger_${one}` as never)).join(', ')}
          onChange={(v) => setQuery({ trigger: v })}
        />
        <Range value={filter.range} />
        {isNarrowed(filter) && (
          <Button kind="quiet" icon="close" onClick={() => setQuery({ state: null, function: null, version: null, owner: null, trigger: null, range: null, text: null }, true)}>
            {t('invocations.clear')}
          </Button>
        )}
      </div>
      <div class="chips" role="group" aria-label={t('invocations.state')}>
        {STATES.map((state) => (
          <Chip key={state} state={state} filter={filter} count={facets?.states.find((s) => s.value === state)?.count} exact={facets?.exact ?? true} />
        ))}
      </div>
    </div>
  );
}

function Chip({ state, filter, count, exact }: { state: string; filter: Filter; count: number | undefined; exact: boolean }) {
  const on = filter.states.includes(state);
  const next = on ? filter.states.filter((s) => s !== state) : [...filter.states, state];
  return (
    <button type="button" class={`chip${on ? ' on' : ''}${count === 0 && !on ? ' zero' : ''}`} aria-pressed={on} onClick={() => setQuery({ state: next.join(',') })}>
      <State of={state} />
      <span class="n">{count === undefined ? '…' : `${number(count, count > 99_999)}${exact || count === 0 ? '' : '+'}`}</span>
    </button>
  );
}

function Pick({ label, value, all, options, onChange, nameOf }: { label: string; value: string; all: string; options: Facet[]; onChange: (value: string) => void; nameOf?: (value: string) => string }) {
  const known = !value || options.some((one) => one.value === value);
  return (
    <select class={`pick${value ? ' on' : ''}`} aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{all}</option>
      {!known && <option value={value}>{nameOf?.(value) ?? value}</option>}
      {options.map((one) => (
        <option key={one.value} value={one.value}>
          {nameOf?.(one.value) ?? one.value}
          {one.count >= 0 ? ` (${number(one.count)})` : ''}
        </option>
      ))}
    </select>
  );
}

const VersionField = ({ value }: { value: string }) => (
  <input class="pick version" value={value} placeholder={t('invocations.any_version')} aria-label={t('invocations.version')} spellcheck={false} onChange={(event) => setQuery({ version: event.currentTarget.value.trim() })} />
);

const local = (at: string | undefined): string => {
  const ms = Date.parse(at ?? '');
  return Number.isFinite(ms) ? new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '';
};
const utc = (text: string): string => (text ? new Date(text).toISOString() : '');

function Range({ value }: { value: string }) {
  const own = value.includes('/');
  const [since, until] = own ? value.split('/') : [];
  const set = (from: string, to: string) => setQuery({ range: from || to ? `${from}/${to}` : null });
  return (
    <>
      <select
        class={`pick${value ? ' on' : ''}`}
        aria-label={t('invocations.range')}
        value={own ? 'own' : value}
        onChange={(event) => setQuery({ range: event.currentTarget.value === 'own' ? `${new Date(Date.now() - 86_400_000).toISOString()}/` : event.currentTarget.value })}
      >
        <option value="">{t('invocations.any_time')}</option>
        {RANGES.map((range) => (
          <option key={range} value={range}>
            {t(`invocations.range_${range}` as never)}
          </option>
        ))}
        {value && !own && !(RANGES as readonly string[]).includes(value) && <option value={value}>{value}</option>}
        <option value="own">{t('invocations.range_own')}</option>
      </select>
      {own && (
        <span class="row">
          <input type="datetime-local" class="pick" aria-label={t('invocations.since')} value={local(since)} onChange={(event) => set(utc(event.currentTarget.value), until ?? '')} />
          <span class="faint">–</span>
          <input type="datetime-local" class="pick" aria-label={t('invocations.until')} value={local(until)} onChange={(event) => set(since ?? '', utc(event.currentTarget.value))} />
        </span>
      )}
    </>
  );
}

const PRESETS = [
  { key: 'failed_24h', state: 'FAILED,UNKNOWN', range: '24h' },
  { key: 'running', state: 'PENDING,PROCESSING', range: '' },
  { key: 'scheduled_24h', trigger: 'schedule', range: '24h' },
  { key: 'last_hour', range: '1h' },
] as const;

/** What is asked for most, one click away. */
export function Presets({ filter }: { filter: Filter }) {
  return (
    <div class="row wrap presets" role="group" aria-label={t('invocations.presets')}>
      {PRESETS.map((preset) => {
        const { key, range } = preset;
        const state = 'state' in preset ? preset.state : '';
        const trigger = 'trigger' in preset ? preset.trigger : '';
        const on = filter.states.join(',') === state && filter.range === range && filter.triggers.join(',') === trigger && !filter.text && !filter.fn && !filter.owner;
        return (
          <button key={key} type="button" class="link small" aria-pressed={on} onClick={() => setQuery({ state, range, trigger, text: null, function: null, version: null, owner: null }, true)}>
            {t(`invocations.preset_${key}` as never)}
          </button>
        );
      })}
    </div>
  );
}

import { useState } from 'preact/hooks';
import { number } from '../../lib/format';
import { t } from '../../lib/i18n';

const AT_ONCE = 100;
const TEXT_MOST = 400;

/** A value of JSON that can be unfolded; of long lists only a part is there at once. */
export const JsonTree = ({ value }: { value: unknown }) => (
  <div class="json mono" role="group" aria-label="JSON">
    <Node value={value} depth={0} />
  </div>
);

function Node({ name, value, depth }: { name?: string | number; value: unknown; depth: number }) {
  const [open, setOpen] = useState(depth < 2);
  const [most, setMost] = useState(AT_ONCE);
  const label = name === undefined ? null : <span class={typeof name === 'number' ? 'index' : 'key'}>{name}: </span>;
  if (value === null || typeof value !== 'object')
    return (
      <div class="leaf">
        {label}
        <Leaf value={value} />
      </div>
    );
  const list = Array.isArray(value);
  const keys = list ? null : Object.keys(value);
  const count = list ? value.length : keys!.length;
  const [begin, end] = list ? ['[', ']'] : ['{', '}'];
  if (count === 0)
    return (
      <div class="leaf">
        {label}
        {begin}
        {end}
      </div>
    );
  return (
    <div class="branch">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="twist" aria-hidden="true">
          {open ? '▾' : '▸'}
        </span>
        {label}
        {begin}
        {!open && (
          <>
            <span class="faint">{t('invocations.items', { n: count })}</span>
            {end}
          </>
        )}
      </button>
      {open && (
        <>
          <div class="inner">
            {Array.from({ length: Math.min(count, most) }, (_, i) =>
              list ? <Node key={i} name={i} value={value[i]} depth={depth + 1} /> : <Node key={keys![i]} name={keys![i]} value={(value as Record<string, unknown>)[keys![i]!]} depth={depth + 1} />,
            )}
            {count > most && (
              <button type="button" class="link small" onClick={() => setMost(most + 10 * AT_ONCE)}>
                {t('invocations.more_items', { n: number(count - most) })}
              </button>
            )}
          </div>
          <div class="close">{end}</div>
        </>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') return <span class={value === null ? 'null' : typeof value}>{String(value)}</span>;
  const long = value.length > TEXT_MOST && !whole;
  return (
    <span class="string">
      {JSON.stringify(long ? value.slice(0, TEXT_MOST) : value)}
      {long && (
        <button type="button" class="link small" onClick={() => setWhole(true)}>
          {t('invocations.whole_text', { n: number(value.length) })}
        </button>
      )}
    </span>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, request } from '../../lib/api';
import { bytes } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button, Card, Copy, Empty, Problem, Skeleton } from '../../ui/basics';
import { Choice } from '../../ui/forms';
import { Icon } from '../../ui/icons';
import { JsonTree } from './jsontree';

const LOADED_BYTES = 1 << 20;
const MOST_BYTES = 32 << 20;
const IMAGES: [string, number[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]], ['image/jpeg', [0xff, 0xd8, 0xff]], ['image/gif', [0x47, 0x49, 0x46, 0x38]], ['image/webp', [0x52, 0x49, 0x46, 0x46]],
];

type Content = { kind: 'json'; value: unknown; text: string } | { kind: 'text'; text: string } | { kind: 'image'; url: string } | { kind: 'bytes' };

/** What bytes are: a picture, JSON, text, or neither. */
export function contentOf(data: ArrayBuffer): Content {
  const head = new Uint8Array(data, 0, Math.min(16, data.byteLength));
  for (const [type, magic] of IMAGES) {
    if (magic.every((byte, i) => head[i] === byte) && (type !== 'image/webp' || String.fromCharCode(...head.slice(8, 12)) === 'WEBP')) return { kind: 'image', url: URL.createObjectURL(new Blob([data], { type })) };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    try {
      return { kind: 'json', value: JSON.parse(text) as unknown, text };
    } catch {
      return text.includes('\0') ? { kind: 'bytes' } : { kind: 'text', text };
    }
  } catch {
    return { kind: 'bytes' };
  }
}

/** A result or an event: a tree, text, a picture, or only a download. Large ones are not loaded unasked. */
export function PayloadView({ title, path, size, name }: { title: string; path: string; size: number | null | undefined; name: string }) {
  const [wanted, setWanted] = useState((size ?? 0) <= LOADED_BYTES);
  const [content, setContent] = useState<Content | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [raw, setRaw] = useState<'tree' | 'raw'>('tree');
  const none = size === null || size === undefined;
  useEffect(() => {
    if (none || !wanted) return;
    const abort = new AbortController();
    let made: Content | null = null;
    request('GET', path, { signal: abort.signal, headers: { Accept: '*/*' } })
      .then((answer) => answer.arrayBuffer())
      .then((data) => setContent((made = contentOf(data))))
      .catch((error: unknown) => error instanceof ApiProblem && setProblem(error));
    return () => {
      abort.abort();
      if (made?.kind === 'image') URL.revokeObjectURL(made.url);
    };
  }, [path, wanted, none, size]);
  if (none) return <Empty title={t('invocations.payload_none')}>{t('invocations.payload_none_text')}</Empty>;
  const text = content && 'text' in content ? content.text : null;
  return (
    <Card
      title={title}
      class="payload"
      actions={
        <>
          <span class="faint small">{bytes(size)}</span>
          {content?.kind === 'json' && (
            <Choice label={t('invocations.shown_as')} value={raw} onChange={setRaw} options={[['tree', t('invocations.tree')], ['raw', t('invocations.raw')]]} />
          )}
          {text !== null && text.length < LOADED_BYTES && <Copy text={text} />}
          <a class="button quiet small" href={path} download={`${name}${content?.kind === 'json' ? '.json' : content?.kind === 'text' ? '.txt' : ''}`}>
            <Icon name="download" size={14} />
            <span>{t('invocations.download')}</span>
          </a>
        </>
      }
    >
      {problem ? (
        <Problem of={problem} />
      ) : !wanted ? (
        <p class="row wrap">
          <span class="quiet">{t('invocations.large', { size: bytes(size) })}</span>
          {size <= MOST_BYTES && (
            <Button small onClick={() => setWanted(true)}>
              {t('invocations.load_anyway')}
            </Button>
          )}
        </p>
      ) : !content ? (
        <Skeleton rows={3} />
      ) : content.kind === 'image' ? (
        <img class="picture" src={content.url} alt={title} />
      ) : content.kind === 'bytes' ? (
        <p class="quiet">{t('invocations.binary')}</p>
      ) : content.kind === 'json' && raw === 'tree' ? (
        <JsonTree value={content.value} />
      ) : content.text === '' ? (
        <p class="quiet">{t('invocations.empty_text')}</p>
      ) : (
        <pre class="code tall">{content.kind === 'json' && content.text.length < 200_000 ? JSON.stringify(content.value, null, 2) : content.text.slice(0, 500_000)}</pre>
      )}
    </Card>
  );
}

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../lib/i18n';
import { Problem, Skeleton } from '../../ui/basics';
import type { CodeEditor, Mark } from './codemirror';

export interface CodePaneProps {
  path: string;
  text: string;
  readOnly?: boolean;
  marks?: readonly Mark[];
  /** Where to go; a new object goes there again. */
  reveal?: { line: number; column: number } | null;
  /** Changes when texts were changed from outside. */
  version?: unknown;
  onChange?: (path: string, text: string) => void;
}

/** The code of one file. The editor is loaded when the first is shown. */
export function CodePane({ path, text, readOnly = false, marks, reveal, version, onChange }: CodePaneProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor | null>(null);
  const hear = useRef(onChange);
  hear.current = onChange;
  const [state, setState] = useState<'loading' | 'there' | Error>('loading');

  useEffect(() => {
    let over = false;
    import('./codemirror')
      .then(({ open }) => {
        if (over) return;
        editor.current = open(host.current!, t('functions.code_of'), (where, now) => hear.current?.(where, now));
        setState('there');
      })
      .catch((error: Error) => !over && setState(error));
    return () => {
      over = true;
      editor.current?.close();
      editor.current = null;
    };
  }, []);
  // In the same frame in which the editor appears: one without its text and its name is never to be seen.
  const shown = useRef<{ path: string; version: unknown } | null>(null);
  useLayoutEffect(() => {
    if (state !== 'there') return;
    if (shown.current && shown.current.version !== version && shown.current.path === path) editor.current!.replace(path, text);
    else editor.current!.show(path, text, readOnly);
    shown.current = { path, version };
  }, [state, path, readOnly, version]);
  useLayoutEffect(() => {
    if (state === 'there' && marks) editor.current!.marks(path, marks);
  }, [state, path, marks]);
  useLayoutEffect(() => {
    if (state === 'there' && reveal) editor.current!.reveal(reveal.line, reveal.column);
  }, [state, reveal]);

  return (
    <div class="code-pane">
      {state === 'loading' && <Skeleton rows={10} />}
      {state instanceof Error && <Problem of={state} />}
      <div ref={host} class="code-host" hidden={state !== 'there'} data-editor={state === 'there' ? path : undefined} />
    </div>
  );
}

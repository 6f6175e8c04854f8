import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting, type StreamParser } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, rectangularSelection } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** Something wrong in a file: its line and column from 1; column 0 for all of the line. */
export interface Mark {
  line: number;
  column: number;
  text: string;
}

export interface CodeEditor {
  /** Shows a file; each keeps its own history, selection and place. */
  show(path: string, text: string, readOnly: boolean): void;
  /** Takes a file's text from outside. */
  replace(path: string, text: string): void;
  /** Forgets a file that is gone. */
  forget(path: string): void;
  marks(path: string, marks: readonly Mark[]): void;
  reveal(line: number, column: number): void;
  focus(): void;
  close(): void;
}

type Mode = StreamParser<unknown>;

// Each is loaded with the first file in it.
const javascript = () => import('@codemirror/legacy-modes/mode/javascript');
const clike = () => import('@codemirror/legacy-modes/mode/clike');
const MODES: Record<string, () => Promise<Mode>> = {
  python: async () => (await import('@codemirror/legacy-modes/mode/python')).python,
  javascript: async () => (await javascript()).javascript,
  typescript: async () => (await javascript()).typescript,
  json: async () => (await javascript()).json,
  go: async () => (await import('@codemirror/legacy-modes/mode/go')).go,
  c: async () => (await clike()).c,
  cpp: async () => (await clike()).cpp,
  csharp: async () => (await clike()).csharp,
  yaml: async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml,
  toml: async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  shell: async () => (await import('@codemirror/legacy-modes/mode/shell')).shell,
};
const MODE_OF: Record<string, string> = {
  py: 'python', js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript', ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'typescript',
  json: 'json', go: 'go', c: 'c', h: 'cpp', hpp: 'cpp', cpp: 'cpp', cc: 'cpp', cxx: 'cpp', cs: 'csharp', yaml: 'yaml', yml: 'yaml', toml: 'toml', sh: 'shell', bash: 'shell',
};

function modeOf(path: string, text: string): string | undefined {
  const name = path.split('/').pop()!;
  const ending = name.includes('.') ? name.split('.').pop()! : '';
  return MODE_OF[ending] ?? (text.startsWith('#!') ? (/python/.test(text.slice(0, 80)) ? 'python' : 'shell') : undefined);
}

const unitOf = (path: string, text: string): string => (/\n\t/.test(text) || path.endsWith('.go') ? '\t' : /\.(py|cs|cpp|h|hpp|c)$/.test(path) ? '    ' : '  ');

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.modifier, tags.definitionKeyword, tags.moduleKeyword], color: 'var(--odd)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--wait)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)], color: 'var(--run)' },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.meta, tags.standard(tags.variableName)], color: 'var(--accent-ink)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--code)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent) !important' },
  '.cm-gutters': { backgroundColor: 'var(--code)', color: 'var(--ink-3)', border: '0' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--hover) 60%, transparent)' },
  '.cm-selectionMatch, .cm-searchMatch': { backgroundColor: 'var(--mark)' },
  '.cm-panels, .cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '6px', fontFamily: 'var(--font)' },
  '.cm-textfield, .cm-button': { backgroundImage: 'none', backgroundColor: 'var(--bg)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '4px' },
  '.cm-panel.cm-search label': { color: 'var(--ink-2)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--off-soft)', border: '0', color: 'var(--ink-2)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
});

// A browser that types over a selection keeps its look with a style attribute, which the policy refuses: the editor does it instead.
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== 'insertText' || !event.data || event.isComposing || empty || view.state.readOnly) return false;
    const text = event.data;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

/** Makes an editor in a shadow root of the element: its styles are adopted sheets, which a strict policy allows. */
export function open(host: HTMLElement, label: string, onChange: (path: string, text: string) => void): CodeEditor {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  shadow.replaceChildren();
  const place = document.createElement('div');
  place.style.height = '100%';
  shadow.append(place);
  const language = new Compartment();
  const kept = new Map<string, EditorState>();
  const scrolls = new Map<string, number>();
  let at = '';

  const extensions = (path: string, text: string, readOnly: boolean): Extension[] => {
    const mode = modeOf(path, text);
    return [
      lineNumbers(),
      foldGutter(),
      history(),
      drawSelection(),
      rectangularSelection(),
      EditorState.allowMultipleSelections.of(true),
      indentOnInput(),
      bracketMatching(),
      highlightSelectionMatches(),
      search({ top: true }),
      syntaxHighlighting(colours),
      look,
      typeOver,
      indentUnit.of(unitOf(path, text)),
      EditorView.contentAttributes.of({ 'aria-label': `${label}: ${path}`, spellcheck: 'false', autocapitalize: 'off' }),
      language.of(mode ? [] : EditorView.lineWrapping),
      ...(readOnly ? [EditorState.readOnly.of(true)] : [closeBrackets(), highlightActiveLine(), highlightActiveLineGutter(), lintGutter()]),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...(readOnly ? [] : [indentWithTab])]),
      EditorView.updateListener.of((update) => update.docChanged && onChange(at, update.state.doc.toString())),
    ];
  };
  const view = new EditorView({ parent: place, root: shadow, state: EditorState.create({ doc: '' }) });
  // What scrolls can be reached with the keyboard, also where the text is only to be read.
  view.scrollDOM.tabIndex = 0;

  // What cannot be loaded stays as it is written, without colours.
  async function colour(path: string, text: string): Promise<void> {
    const mode = modeOf(path, text);
    const parser = mode && (await MODES[mode]!().catch(() => undefined));
    const now = language.get(view.state);
    if (parser && at === path && Array.isArray(now) && now.length === 0) view.dispatch({ effects: language.reconfigure(StreamLanguage.define(parser)) });
  }

  return {
    show(path, text, readOnly) {
      if (at) {
        kept.set(at, view.state);
        scrolls.set(at, view.scrollDOM.scrollTop);
      }
      at = path;
      const before = kept.get(path);
      view.setState(before && before.doc.toString() === text ? before : EditorState.create({ doc: text, extensions: extensions(path, text, readOnly) }));
      view.scrollDOM.scrollTop = scrolls.get(path) ?? 0;
      void colour(path, text);
    },
    replace(path, text) {
      kept.delete(path);
      if (path === at && view.state.doc.toString() !== text) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    forget(path) {
      kept.delete(path);
      scrolls.delete(path);
      if (path === at) at = '';
    },
    marks(path, marks) {
      if (path !== at) return;
      const found = marks.map((mark): Diagnostic => {
        const line = view.state.doc.line(Math.min(Math.max(1, mark.line), view.state.doc.lines));
        const from = mark.column > 0 ? Math.min(line.to, line.from + mark.column - 1) : line.from;
        const word = mark.column > 0 ? view.state.wordAt(from) : null;
        return { from, to: word ? word.to : mark.column > 0 ? Math.min(line.to, from + 1) : line.to, severity: 'error', message: mark.text };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    reveal(line, column) {
      const place = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
      const head = Math.min(place.to, place.from + Math.max(0, column - 1));
      view.dispatch({ selection: { anchor: head }, effects: EditorView.scrollIntoView(head, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}

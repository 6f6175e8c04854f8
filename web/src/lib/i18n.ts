import en from '../i18n/en.json';
import { cell, keptCell, useCell } from './cell';

type Tree = { [key: string]: string | Tree };
type Paths<T, P extends string = ''> = { [K in keyof T & string]: T[K] extends string ? `${P}${K}` : Paths<T[K], `${P}${K}.`> }[keyof T & string];

/** Every text of the portal by its place in the catalogue, `page.name`. A text with a count has `…_one` and `…_other`. */
export type TextKey = Paths<typeof en>;
type Stem<K> = K extends `${infer S}_other` ? S : K;

export type Language = 'en' | 'ko';
export const LANGUAGES: readonly { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'ko', name: '한국어' },
];

/** What was chosen; null follows the browser. */
export const chosenLanguage = keptCell<Language | null>('dure.language', null);

const flat = (tree: Tree, start = '', into = new Map<string, string>()): Map<string, string> => {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') into.set(start + key, value);
    else flat(value, `${start}${key}.`, into);
  }
  return into;
};

const english = flat(en as Tree);
const current = cell<{ code: Language; texts: Map<string, string>; plural: Intl.PluralRules }>({ code: 'en', texts: english, plural: new Intl.PluralRules('en') });

/** Loads the catalogue of the chosen language; only English is part of the first load. */
export async function loadLanguage(): Promise<void> {
  const code = chosenLanguage.get() ?? (navigator.language.startsWith('ko') ? 'ko' : 'en');
  const texts = code === 'en' ? english : flat((await import('../i18n/ko.json')).default as Tree);
  document.documentElement.lang = code;
  current.set({ code, texts, plural: new Intl.PluralRules(code) });
}

/** The text of a key, with `{name}` replaced; `{n}` chooses between `…_one` and `…_other` where there are such. */
export function t(key: Stem<TextKey> | TextKey, args: Record<string, string | number> = {}): string {
  const { texts, plural, code } = current.get();
  const n = args.n;
  const counted = typeof n === 'number' ? (texts.get(`${key}_${plural.select(n) === 'one' ? 'one' : 'other'}`) ?? texts.get(`${key}_other`)) : undefined;
  const text = counted ?? texts.get(key) ?? english.get(key) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = args[name];
    return value === undefined ? whole : typeof value === 'number' ? value.toLocaleString(code) : value;
  });
}

/** The present language, also for dates and numbers; whoever calls it renders again when it changes. */
export const useLanguage = (): Language => useCell(current).code;
export const language = (): Language => current.get().code;
chosenLanguage.listen(() => void loadLanguage());

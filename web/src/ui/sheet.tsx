import { cell, useCell } from '../lib/cell';
import { t } from '../lib/i18n';
import { scopes } from '../lib/keys';
import { Keys } from './basics';
import { Dialog } from './forms';

export const sheetOpen = cell(false);

/** Every shortcut that holds here and now. */
export function Sheet() {
  const open = useCell(sheetOpen);
  const all = useCell(scopes);
  return (
    <Dialog title={t('shell.shortcuts')} open={open} onClose={() => sheetOpen.set(false)}>
      <div class="shortcuts">
        {open &&
          [...all].reverse().map((scope, i) => (
            <section key={i}>
              <h3>{scope.title}</h3>
              <dl>
                {Object.entries(scope.keys()).filter(([, shortcut]) => !shortcut.alias).map(([keys, shortcut]) => (
                  <div key={keys}>
                    <dt>
                      <Keys of={keys} />
                      <span class="hidden-word">{keys}</span>
                    </dt>
                    <dd>{shortcut.label}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
      </div>
    </Dialog>
  );
}

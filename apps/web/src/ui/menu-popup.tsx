import { DirectionProvider } from '@base-ui/react/direction-provider';
import { Menu } from '@base-ui/react/menu';
import { useMemo, useState } from 'react';
import { anchorOf } from './menu-anchor.ts';
import type { MenuProps } from './menu.tsx';
import './menu.css';

export const MenuPopup = ({ label, place, entries, onClose }: MenuProps) => {
  const symbols = entries.filter(({ symbol }) => symbol !== undefined);
  const plain = entries.filter(({ symbol }) => symbol === undefined);
  const anchor = useMemo(() => anchorOf(place), [place]);
  // Where focus goes back to: this is not opened by a trigger that Base UI knows.
  const [before] = useState(() => document.activeElement);
  /** An entry may open a dialog, which gives the focus back to where it was: so it has to be there again by then. */
  const choose = (onChoose: () => void): void => {
    onClose();
    setTimeout(() => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      onChoose();
    });
  };
  return (
    <DirectionProvider direction={document.documentElement.dir === 'rtl' ? 'rtl' : 'ltr'}>
      <Menu.Root open onOpenChange={(open) => !open && onClose()}>
        {/* Within the landmark, so that nothing on the page is outside of one. */}
        <Menu.Portal className="menu-portal" container={document.querySelector('main')}>
          <Menu.Positioner
            className="menu-place"
            anchor={anchor}
            side="bottom"
            align="start"
            sideOffset={2}
            collisionPadding={8}
          >
            <Menu.Popup
              className="menu"
              aria-label={label}
              finalFocus={() => (before instanceof HTMLElement && before.isConnected ? before : true)}
            >
              {symbols.length > 0 && (
                <div className="menu-symbols">
                  {symbols.map(({ label: words, symbol, onChoose, chosen = false }) => (
                    <Menu.Item
                      key={words}
                      className="menu-symbol"
                      data-chosen={chosen}
                      aria-label={words}
                      title={words}
                      onClick={onChoose}
                    >
                      {symbol}
                    </Menu.Item>
                  ))}
                </div>
              )}
              {plain.map(({ label: words, onChoose, grave = false }) => (
                <Menu.Item
                  key={words}
                  className="menu-entry"
                  data-grave={grave}
                  closeOnClick={false}
                  onClick={() => choose(onChoose)}
                >
                  {words}
                </Menu.Item>
              ))}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </DirectionProvider>
  );
};

import type { Decorator, Preview } from '@storybook/react-vite';
import { useEffect } from 'react';
import { MemoryRouter } from 'react-router';
import { speak } from '../src/i18n/i18n.ts';
import '../src/styles/tokens.css';
import '../src/styles/base.css';
import './preview.css';

/** As the app's page does: theme and direction stand at the root. */
const Ground: Decorator = (Story, { globals, parameters }) => {
  const { theme, direction } = globals as { theme: string; direction: string };
  useEffect(() => {
    const { documentElement } = document;
    documentElement.dataset['theme'] = theme;
    documentElement.dir = direction;
    documentElement.lang = direction === 'rtl' ? 'ar' : 'en';
  }, [theme, direction]);
  // Whole screens have a landmark of their own.
  const Box = parameters['screen'] === true ? 'div' : 'main';
  return (
    <MemoryRouter>
      <Box className={parameters['screen'] === true ? 'story-screen' : 'story'}>
        <Story key={direction} />
      </Box>
    </MemoryRouter>
  );
};

const preview: Preview = {
  decorators: [Ground],
  loaders: [({ globals }) => speak(globals['direction'] === 'rtl' ? 'ar' : 'en', [])],
  initialGlobals: { theme: 'light', direction: 'ltr' },
  globalTypes: {
    theme: { description: 'Theme', toolbar: { title: 'Theme', items: ['light', 'dark'] } },
    direction: { description: 'Direction', toolbar: { title: 'Direction', items: ['ltr', 'rtl'] } },
  },
  parameters: { layout: 'fullscreen', backgrounds: { disable: true } },
};

export default preview;

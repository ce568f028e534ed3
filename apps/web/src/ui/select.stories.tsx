import type { Meta, StoryObj } from '@storybook/react-vite';
import { useState } from 'react';
import { LANGUAGES } from '../i18n/i18n.ts';
import { Select } from './select.tsx';

const OPTIONS = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label, lang: value }));

const Languages = () => {
  const [value, setValue] = useState('en');
  return <Select label="Language" options={OPTIONS} value={value} onChange={setValue} />;
};

export default { component: Languages } satisfies Meta<typeof Languages>;

export const OneOfMany: StoryObj<typeof Languages> = {};

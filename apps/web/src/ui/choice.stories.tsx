import type { Meta, StoryObj } from '@storybook/react-vite';
import { useState } from 'react';
import { Choice } from './choice.tsx';

type Audience = 'everyone' | 'contacts' | 'nobody';
const OPTIONS: readonly { value: Audience; label: string }[] = [
  { value: 'everyone', label: 'Everyone' },
  { value: 'contacts', label: 'Contacts' },
  { value: 'nobody', label: 'Nobody' },
];

const Chosen = () => {
  const [value, setValue] = useState<Audience>('contacts');
  return (
    <Choice<Audience>
      label="Online"
      hint="Who sees that you are here."
      options={OPTIONS}
      value={value}
      onChange={setValue}
    />
  );
};

export default { component: Chosen } satisfies Meta<typeof Chosen>;

export const OneOfThree: StoryObj<typeof Chosen> = {};

import type { Meta, StoryObj } from '@storybook/react-vite';
import { useState } from 'react';
import { Switch } from './switch.tsx';

const Receipts = ({ first }: { first: boolean }) => {
  const [checked, setChecked] = useState(first);
  return (
    <Switch
      label="Read receipts"
      hint="Off, you do not see those of others either."
      checked={checked}
      onChange={setChecked}
    />
  );
};

export default { component: Receipts } satisfies Meta<typeof Receipts>;
type Story = StoryObj<typeof Receipts>;

export const On: Story = { args: { first: true } };
export const Off: Story = { args: { first: false } };

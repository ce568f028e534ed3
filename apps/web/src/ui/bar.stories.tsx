import type { Meta, StoryObj } from '@storybook/react-vite';
import { Bar } from './bar.tsx';
import { Button } from './button.tsx';

export default { component: Bar } satisfies Meta<typeof Bar>;
type Story = StoryObj<typeof Bar>;

export const Calm: Story = {
  args: { children: 'A new version is ready.', actions: <Button look="quiet">Update</Button> },
};
export const Grave: Story = {
  args: { look: 'grave', children: 'This device is full. Nothing new is kept.' },
};

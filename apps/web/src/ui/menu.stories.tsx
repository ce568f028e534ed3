import type { Meta, StoryObj } from '@storybook/react-vite';
import { Mounted } from '../../.storybook/mounted.tsx';
import { Menu } from './menu.tsx';

const none = (): void => undefined;

export default {
  component: Menu,
  decorators: [Mounted],
  args: {
    label: 'Message',
    place: { x: 200, y: 80 },
    entries: [
      { label: 'Reply', onChoose: none },
      { label: 'Copy', onChoose: none },
      { label: 'Delete', onChoose: none, grave: true },
    ],
    onClose: none,
  },
} satisfies Meta<typeof Menu>;
type Story = StoryObj<typeof Menu>;

export const Entries: Story = {};
export const Symbols: Story = {
  args: {
    entries: [
      { label: 'Thumbs up', symbol: '👍', onChoose: none, chosen: true },
      { label: 'Heart', symbol: '❤️', onChoose: none },
      { label: 'Reply', onChoose: none },
    ],
  },
};

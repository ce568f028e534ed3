import type { Meta, StoryObj } from '@storybook/react-vite';
import { CopyButton } from './copy-button.tsx';

export default {
  component: CopyButton,
  args: { text: 'https://chat.example/#/join/…', label: 'Copy link' },
} satisfies Meta<typeof CopyButton>;
type Story = StoryObj<typeof CopyButton>;

export const Plain: Story = {};
export const Main: Story = { args: { look: 'main' } };
export const Disabled: Story = { args: { disabled: true } };

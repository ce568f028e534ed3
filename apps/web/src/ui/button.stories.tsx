import type { Meta, StoryObj } from '@storybook/react-vite';
import { Button, IconButton } from './button.tsx';
import { SendIcon } from './icons.tsx';

export default { component: Button, args: { children: 'Invite someone' } } satisfies Meta<typeof Button>;
type Story = StoryObj<typeof Button>;

export const Main: Story = { args: { look: 'main' } };
export const Plain: Story = {};
export const Quiet: Story = { args: { look: 'quiet' } };
export const Disabled: Story = { args: { look: 'main', disabled: true } };
export const WithIcon: Story = {
  render: () => (
    <IconButton label="Send">
      <SendIcon />
    </IconButton>
  ),
};

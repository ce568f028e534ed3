import type { Meta, StoryObj } from '@storybook/react-vite';
import { StatusTick } from './status-tick.tsx';

export default { component: StatusTick } satisfies Meta<typeof StatusTick>;
type Story = StoryObj<typeof StatusTick>;

export const Waiting: Story = { args: { status: 'waiting' } };
export const Sent: Story = { args: { status: 'sent' } };
export const Delivered: Story = { args: { status: 'delivered' } };
export const Read: Story = { args: { status: 'read' } };
export const Failed: Story = { args: { status: 'failed' } };

import type { Meta, StoryObj } from '@storybook/react-vite';
import { Avatar } from './avatar.tsx';

export default { component: Avatar } satisfies Meta<typeof Avatar>;
type Story = StoryObj<typeof Avatar>;

export const Medium: Story = { args: { name: 'Mara Lind', account: 'mara' } };
export const Small: Story = { args: { name: 'jonas', account: 'jonas', size: 's' } };
export const OtherLetters: Story = { args: { name: 'سارة العلي', account: 'sara' } };
/** Every color. */
export const Colors: Story = {
  render: () => (
    <div className="story-icons">
      {['a', 'b', 'c', 'd', 'e', 'f'].map((account) => (
        <Avatar key={account} name={account} account={account} />
      ))}
    </div>
  ),
};

import type { Meta, StoryObj } from '@storybook/react-vite';
import { Confirm } from './confirm.tsx';

export default { component: Confirm } satisfies Meta<typeof Confirm>;

export const Grave: StoryObj<typeof Confirm> = {
  args: {
    title: 'Block Jonas?',
    children: <p>Jonas cannot write to you any more, and is not told.</p>,
    action: 'Block',
    onConfirm: () => undefined,
    onClose: () => undefined,
  },
};

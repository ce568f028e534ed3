import type { Meta, StoryObj } from '@storybook/react-vite';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';

export default { component: Dialog } satisfies Meta<typeof Dialog>;

export const WithField: StoryObj<typeof Dialog> = {
  args: {
    title: 'New chat',
    children: <Field label="Handle" prefix="@" hint="As they told you." />,
    onClose: () => undefined,
  },
};

import type { Meta, StoryObj } from '@storybook/react-vite';
import { QrCode } from './qr-code.tsx';

export default { component: QrCode } satisfies Meta<typeof QrCode>;

export const Link: StoryObj<typeof QrCode> = {
  args: { text: 'https://chat.example/#/add/mara', label: 'Your contact link as a code' },
};
